"""End a run with its process: exit status, SIGTERM, children of multiprocessing, notebooks; see `exit_hooks`."""
