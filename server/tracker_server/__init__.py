"""The server: ingest, storage, queries and pages. `cli` starts it; `app.create_app` is the ASGI application."""
