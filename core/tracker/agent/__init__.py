"""Run the agent process: upload run directories, flush them to disk, watch their writers, sample the system.

It reads everything it knows from the run directory and the server, so losing an agent loses nothing.
"""
