"""Score ligand-receptor pairs per sample, and say in how many patients they are seen."""
