"""Provide the command `tracker`.

Sub-commands are found through the entry-point group `tracker.commands`, so any package can add one.
"""
