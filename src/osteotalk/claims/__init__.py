"""From scored edges to a verdict on each claim."""
