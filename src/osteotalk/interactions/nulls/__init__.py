"""P-values of edges under shuffled labels: computed, drawn, or dealt."""
