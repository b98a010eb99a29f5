"""Drawing only: tables and arrays in, a figure out."""
