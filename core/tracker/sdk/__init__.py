"""What lives in the training process: the run, its config and summary, and the exit hooks. It only appends lines."""
