"""Read, import, follow and write TensorBoard event files.

- `reader` reads event files.
- `convert` turns their events into records of the run log, and payloads of rows back into events.
- `importer` imports log directories into run directories (`tracker tensorboard-import`).
- `follower` imports the event files of a running training into its run (`sync_tensorboard`).
- `export` writes runs as event files (`tracker tensorboard-export`).

Importing this package imports none of these modules.
"""

import tracker_runs  # noqa: F401 - makes `tracker` ours here, even next to a user's own `tracker.py`
