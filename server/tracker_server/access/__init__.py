"""Who may ask: the guard in front of every route, sessions of browsers, the server's proof of itself."""
