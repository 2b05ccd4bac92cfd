"""The out-of-process side: uploads a run directory, flushes it to the disk, watches its writers, samples the system.

Everything it knows it reads from the run directory and the server, so losing an agent loses nothing.
"""
