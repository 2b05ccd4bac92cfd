"""Logged values as columns: parse uploads, store them as compressed segments and chunks, and read them back."""
