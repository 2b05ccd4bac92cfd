"""What the server draws itself, as plain HTML that needs no script: the way in. All else is the dashboard."""
