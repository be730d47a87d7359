"""What goes with a map: tables for a spreadsheet, and the manifest."""
