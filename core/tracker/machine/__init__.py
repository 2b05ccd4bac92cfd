"""Use this machine: paths, files that appear whole, containers, background processes."""
