"""All cohorts of a run together, and one cohort under other settings."""
