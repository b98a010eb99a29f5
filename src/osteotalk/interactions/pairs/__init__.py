"""The ligand-receptor pairs that are scored, and where they come from."""
