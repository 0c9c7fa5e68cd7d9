"""Hostile events: what a caller of a gateway can send to make counting slow or large, and what it then takes."""
