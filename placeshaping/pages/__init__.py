"""The self-contained, accessible page: template, styles, script, and Leaflet carried inside."""
