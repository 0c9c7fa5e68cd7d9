"""Counting: from an exchange to the count that logcount stands by."""

from logcount.counting.decision import Counter
from logcount.counting.side import Side
from logcount.counting.sides import Sides
from logcount.counting.spoken import Spoken, listen
from logcount.counting.tokenizer import Tokenizer, TokenizerFor

__all__ = ["Counter", "Side", "Sides", "Spoken", "Tokenizer", "TokenizerFor", "listen"]
