"""Joins: records of one exchange that come apart are put together before it is counted."""
