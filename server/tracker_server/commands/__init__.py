"""The commands below `tracker server`: accounts, teams, keys, share links and the audit log, on a data directory."""
