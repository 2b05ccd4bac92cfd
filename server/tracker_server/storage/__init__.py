"""Store runs and their metrics over SQL; routes know only `interface.py`, and `sql.py` implements it."""
