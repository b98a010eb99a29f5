"""One module a section: what it needs from the results, its figures, tables and words."""
