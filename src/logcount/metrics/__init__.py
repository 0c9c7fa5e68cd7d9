"""Metrics: outcomes become tallies, and tallies are folded into points under the budget of series."""
