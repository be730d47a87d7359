"""Layers for a GIS: GeoPackage with its styles."""
