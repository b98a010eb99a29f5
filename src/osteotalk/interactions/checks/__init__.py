"""What is looked at before anything is scored: settings, values, labels."""
