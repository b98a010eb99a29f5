"""From raw counts to one normalised, integrated and clustered cohort."""
