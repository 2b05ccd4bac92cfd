"""Run in the training process: the run, its config and summary, and the exit hooks. They only append lines."""
