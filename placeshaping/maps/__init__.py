"""Maps of a release: classes and palettes, compact coverage, and the page that opens anywhere."""
