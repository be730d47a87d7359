"""Deciding where services go: patrol plans, access, siting, wards, segments."""
