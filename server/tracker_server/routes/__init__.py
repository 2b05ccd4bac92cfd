"""The HTTP API and the dashboard's pages: one module for each subject."""
