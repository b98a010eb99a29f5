"""Pages as HTML: templates, SVG, and the files on disk."""
