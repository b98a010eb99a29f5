"""What sections show, worked out from the results."""
