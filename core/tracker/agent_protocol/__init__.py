"""What a training process and its agent agree on: how a run is handed over, the agent's status, seals, event files."""
