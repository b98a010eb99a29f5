"""Which sections a page has, and what it is called."""
