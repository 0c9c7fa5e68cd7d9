"""Metrics: turns outcomes into tallies, and sums tallies into points within the budget of time series."""
