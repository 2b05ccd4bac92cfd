"""Write and read the run log: the only interface between a training process and everything else.

`FORMAT.md` beside this file specifies it. `records` encodes and parses lines, `writer` appends them, `reader` reads a
run directory, `fold` derives config, summary and state from records.
"""
