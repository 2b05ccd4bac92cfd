"""What tracker uses of this machine: paths, files that appear whole, background processes."""
