"""What the entry points in `jobs/` share: command line, session, exit codes."""
