"""Work that runs in the background while the server answers requests: database maintenance, emptying the trash."""
