"""Reports: the results of a replay, for people (tables) and for programs (JSON, CSV, one line per exchange)."""
