"""Counting: from an exchange to the count that logcount stands by."""

from logcount.counting.decision import Counter
from logcount.counting.parsed_bodies import ParsedBodies, parse_bodies
from logcount.counting.side import Side
from logcount.counting.sides import Sides

__all__ = ["Counter", "ParsedBodies", "Side", "Sides", "parse_bodies"]
