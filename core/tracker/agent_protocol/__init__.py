"""Define what a training process and its agent agree on: handover, the agent's status, seals, event files."""
