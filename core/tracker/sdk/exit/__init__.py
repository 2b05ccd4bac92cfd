"""How a run ends with its process: exit hooks, exit status, SIGTERM, children of multiprocessing, notebooks."""
