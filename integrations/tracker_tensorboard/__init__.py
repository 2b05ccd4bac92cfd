"""TensorBoard event files: read them, and turn them into runs (`tracker tensorboard-import`).

`reader` reads event files, `convert` says what becomes of their values, `importer` brings whole log directories into
run directories. Importing this package imports none of them.
"""

import tracker_runs  # noqa: F401 - beside a user's own `tracker.py`, the modules of this package find ours by it
