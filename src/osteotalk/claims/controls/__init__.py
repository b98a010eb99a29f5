"""What a claim is compared with: decoys, and how often a verdict comes up by chance."""
