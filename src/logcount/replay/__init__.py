"""Replay: an archive is counted, in one process or several, and added up."""
