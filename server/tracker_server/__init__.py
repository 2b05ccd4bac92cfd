"""The server: ingest, storage, queries and pages. `cli` starts it; `app.create_app` is the ASGI application."""

import tracker_runs  # noqa: F401 - lets this package import our `tracker` even beside a user's own `tracker.py`
