"""JSON as it comes off a log: whole, cut short, or with characters that JSON does not have.

Law: what can be read is read, what was done to read it is flagged, and no input raises anything but `NotJson`.
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
