"""Turn users' values into what the run log can hold: config values, rows, oversized records."""
