"""Capture what a run does not log itself: its console, and what is needed to repeat it."""
