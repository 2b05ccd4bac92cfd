"""What users hand in, turned into what the run log can hold: config values, rows, oversized records."""
