"""What is kept of a run beside what it logs: its console, and what is needed to run it again."""
