"""Reports: what a replay came to, for people (a table) and for programs (JSON, CSV, a line an exchange)."""
