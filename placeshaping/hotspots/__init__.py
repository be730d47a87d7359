"""Where records concentrate, and how sure that is."""
