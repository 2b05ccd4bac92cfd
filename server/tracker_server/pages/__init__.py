"""The pages that the server draws itself: plain HTML that needs no script and loads nothing."""
