"""Replay: counts an archive, in one process or several, and adds up the results."""
