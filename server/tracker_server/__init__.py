"""The server: ingest, storage, queries and pages. `cli` starts it; `app.create_app` is the ASGI application."""

import tracker_runs  # noqa: F401 - beside a user's own `tracker.py`, the modules of this package find ours by it
