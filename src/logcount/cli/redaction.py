"""What a secret looks like in a text that somebody else wrote, and its replacement by `***`.

The net of last resort, for our own texts hold none. It knows connection strings, shared access signatures, headers of
HTTP, JSON and Python's rendering of either, and tokens by their shape. What it takes for the end of a value is what no
key holds: a space, a quote, `;`, `&`, `,` or a bracket.
"""

from __future__ import annotations

import re

_NAMES = (
    # connection strings
    "Shared[_-]?Access[_-]?Key|Account[_-]?Key|SharedAccessSignature|InstrumentationKey|Password"
    # OAuth and identities
    "|access[_-]?token|refresh[_-]?token|id[_-]?token|client[_-]?secret|client[_-]?assertion|X-IDENTITY-HEADER"
    # headers
    "|api[_-]?key|subscription-key"
)
_SHORT_NAMES = (
    # shared access signatures, the keys of functions in their URLs, envelopes of Application Insights
    "sig|(?<=[?&])code|iKey|Pwd"
)
"""Names that are also the ends of other words."""
_BEGINS = r"(?:(?<![^\W_])|(?<=%3F)|(?<=%26))"
_QUOTE = r"(?:\\*[\"'])?"  # also one that stands in a JSON text within a JSON text
_IS = rf"{_QUOTE}\s*(?:=|:|%3D)\s*(?:b(?=\\*[\"']))?{_QUOTE}"
_VALUE = r"[^\s\"'\\;&,(){}<>\[\]]+"
_NAMED = re.compile(rf"((?:{_NAMES}|{_BEGINS}(?:{_SHORT_NAMES})){_IS}){_VALUE}", re.IGNORECASE)
_AUTHORIZATION = re.compile(rf"(?<!\w)(authorization{_IS})(?:(\w+)\s+)?{_VALUE}", re.IGNORECASE)
_BEARER = re.compile(rf"(?<!\w)(Bearer\s+){_VALUE}", re.IGNORECASE)
_COOKIE = re.compile(rf"(?<!\w)(cookie{_IS})[^\"'\\\n]+", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^\s/:@]*:[^\s@\"']{1,500}(?=@)")  # bounded, as it is tried at each ://
_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")  # a JSON Web Token, wherever it stands


def scrub(text: str) -> str:
    """Return the text with `***` in place of every value that looks like a secret."""
    text = _AUTHORIZATION.sub(_hide_authorization, text)
    text = _BEARER.sub(r"\1***", text)
    text = _NAMED.sub(r"\1***", text)
    text = _COOKIE.sub(r"\1***", text)
    text = _USER.sub("***", text)
    return _TOKEN.sub("***", text)


def _hide_authorization(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2] + ' ' if found[2] else ''}***"
