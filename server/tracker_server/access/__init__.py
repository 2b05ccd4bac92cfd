"""Who may access the server: the guard in front of every route, the token, and sessions of browsers."""
