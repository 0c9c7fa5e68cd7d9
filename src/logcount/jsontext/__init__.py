"""JSON from logs: whole, cut, or with characters that JSON does not allow.

Law: everything readable is read, every repair is flagged, and no input raises anything except `NotJson`.
"""

from logcount.jsontext.cuts import decode_cut
from logcount.jsontext.escaped import Escaped, unopened
from logcount.jsontext.reading import (
    CUT,
    INVALID_UTF8,
    LONE_SURROGATES,
    NOT_A_NUMBER,
    NotJson,
    ParsedJson,
    TooDeeplyNested,
    decode,
    text_of,
)

__all__ = [
    "CUT",
    "INVALID_UTF8",
    "LONE_SURROGATES",
    "NOT_A_NUMBER",
    "Escaped",
    "NotJson",
    "ParsedJson",
    "TooDeeplyNested",
    "decode",
    "decode_cut",
    "text_of",
    "unopened",
]
