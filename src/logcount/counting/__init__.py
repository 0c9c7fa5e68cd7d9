"""Counting: from an exchange to the count that logcount stands by."""

from logcount.counting.decision import Counter, Sides, Spoken, by_usage, is_whole, listen
from logcount.counting.sides import Side
from logcount.counting.tokenizer import Tokenizer, TokenizerFor

__all__ = ["Counter", "Side", "Sides", "Spoken", "Tokenizer", "TokenizerFor", "by_usage", "is_whole", "listen"]
