"""Logged values as columns: from the lines of an upload to compressed segments and chunks, and back."""
