"""Where log events come from."""
