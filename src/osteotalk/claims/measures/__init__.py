"""What a claim is measured by: a cohort as arrays, values per sample, tests over patients."""
