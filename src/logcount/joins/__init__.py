"""Joins separate records of one exchange before it is counted."""
