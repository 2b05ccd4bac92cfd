"""Pages that the server renders itself, as plain HTML without scripts: signing in. All others are the dashboard's."""
