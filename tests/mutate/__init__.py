"""Mutations of the counting code: each takes one rule out of it, and some test has to notice."""
