"""Begin runs with what another process logged: `resume`, `resume="auto"` and `fork_from`."""
