"""Name the population of every cell, or leave it unassigned."""
