"""Texts, names and colours of names."""
