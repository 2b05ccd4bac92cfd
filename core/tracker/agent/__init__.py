"""The agent process: uploads run directories, flushes them to the disk, watches their writers, samples the system.

Everything it knows it reads from the run directory and the server, so losing an agent loses nothing.
"""
