"""Records and attributes meet areas: by coordinate, by code, never by guess."""
