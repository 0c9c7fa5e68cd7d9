"""The logs of a running command: one line per entry, to stderr, with the same keys everywhere and without secrets.

A module logs to its own logger, with its own keys as fields:

    logger.info("settled", extra={"fields": {"partition": "0", "n": 17, "events": 5000}})

This needs no import from this module, so every room can do it. In the JSON form each entry is an object with `time`
(UTC), `level`, `logger` and `message` first, then its fields; the plain form is for people:

    10:03:17 INFO  settled partition=0 n=17 events=5000

An exception becomes the key `error`, with its type and text. Its traceback is shown only at level DEBUG: in JSON as the
key `trace`, in the plain form on separate lines that begin with `    | `. Nothing else makes a second line: control
characters and line breaks are escaped.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TextIO

from logcount.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LONGEST = 2000
"""The most characters shown of a text; some foreign messages contain a whole answer."""
_LONGEST_TRACE = 20_000
_WORDS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_QUIET = (
    "azure",
    "azure.core.pipeline.policies.http_logging_policy",  # at INFO: the URL and headers of every request
    "azure.eventhub._pyamqp",
    "azure.identity",
    "aiohttp",
    "asyncio",
    "httpx",
    "opencensus",
    "urllib3",
)
"""Foreign loggers that would log too much if set to a lower level. All others inherit the root's level."""


def set_up_logs(form: Literal["json", "plain"], level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send all logs of this process to stderr (or `stream`); a second call replaces the first.

    `level` is for logcount; foreign loggers log from WARNING on at any level.

    Raises:
        Misconfigured: there is no such level.

    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise Misconfigured(f"{level!r} is no level of logs: debug, info, warning or error is expected")
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _LineHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LineHandler(stream or sys.stderr, form, traces=number <= logging.DEBUG))
    root.setLevel(max(number, logging.WARNING))
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger("logcount").setLevel(number)
    logging.captureWarnings(True)


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes entries as lines, and removes secrets from them."""

    def __init__(self, stream: TextIO, form: Literal["json", "plain"], *, traces: bool) -> None:
        super().__init__(stream)
        self._write = {"json": _json_line, "plain": _plain_line}[form]
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        entry = _entry(record)
        trace = _trace(record) if self._traces else ""
        return scrub(self._write(entry, trace))

    def handleError(self, record: logging.LogRecord) -> None:
        """Log that an entry is lost; the standard handler would show its arguments."""
        kind = sys.exc_info()[0] or Exception
        text = f"an entry could not be written: {kind.__name__}"
        with suppress(OSError, ValueError):  # the stream itself is closed
            self.stream.write(self.format(logging.LogRecord(record.name, logging.ERROR, "", 0, text, None, None)))
            self.stream.write(self.terminator)


def _entry(record: logging.LogRecord) -> dict[str, object]:
    entry: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "message": _shorten(record.getMessage()),
    }
    fields: Mapping[str, object] = getattr(record, "fields", {})
    error = record.exc_info[1] if record.exc_info else None
    for key, value in [*fields.items(), *([("error", _error_text(error))] if error else [])]:
        entry[f"{key}_" if key in entry else key] = _value(value)
    return entry


def _trace(record: logging.LogRecord) -> str:
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
    both = "\n".join(part for part in (trace, record.stack_info or "") if part)
    if len(both) > 10 * _LONGEST_TRACE:  # the end is more useful; a cut line could contain half a secret
        both = both[-10 * _LONGEST_TRACE :].partition("\n")[2]
    return scrub(both)[-_LONGEST_TRACE:]


def _json_line(entry: dict[str, object], trace: str) -> str:
    whole = entry | {"trace": trace} if trace else entry
    return _one_line(json.dumps(whole, ensure_ascii=False, separators=(",", ":")))


def _plain_line(entry: dict[str, object], trace: str) -> str:
    time, level, logger, message, *fields = entry.items()
    word = _WORDS.get(str(level[1]), str(level[1]))
    foreign = "" if str(logger[1]).split(".")[0] == "logcount" else f"{logger[1]}: "
    said = "".join(f" {key}={_plain_value(value)}" for key, value in fields)
    line = f"{str(time[1])[11:19]} {word:<5} {foreign}{message[1]}{said}"
    return "\n".join([_one_line(line), *(f"    | {_one_line(each)}" for each in trace.splitlines())])


def _plain_value(value: object) -> str:
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(' "='):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(value: object) -> object:
    """Return a field as a JSON value; other types become text."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {str(key): _value(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(one) for one in value]
    if isinstance(value, BaseException):
        return _error_text(value)
    return _shorten(str(value))


def _error_text(error: BaseException) -> str:
    """Return the type and text of an error, or of each member of a group."""
    inner: Iterable[BaseException] = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    text = "; ".join(_error_text(one) for one in inner) or str(error)
    return _shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _shorten(text: str) -> str:
    text = scrub(text[: 10 * _LONGEST])  # before it is cut: half a secret might not be recognised
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _one_line(text: str) -> str:
    r"""Escape all characters that are not printable, as JSON does (`\n`, `\u001b`)."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


# Patterns of secrets in foreign texts: the last protection, as logcount's own texts contain none. They recognise
# connection strings, shared access signatures, headers of HTTP, JSON and Python's rendering of either, and tokens by
# their shape. A value ends at a character that no key contains: a space, a quote, `;`, `&`, `,` or a bracket.

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
_QUOTE = r"(?:\\*[\"'])?"  # also in a JSON text within a JSON text
_IS = rf"{_QUOTE}\s*(?:=|:|%3D)\s*(?:b(?=\\*[\"']))?{_QUOTE}"
_VALUE = r"[^\s\"'\\;&,(){}<>\[\]]+"
_NAMED = re.compile(rf"((?:{_NAMES}|{_BEGINS}(?:{_SHORT_NAMES})){_IS}){_VALUE}", re.IGNORECASE)
_AUTHORIZATION = re.compile(rf"(?<!\w)(authorization{_IS})(?:(\w+)\s+)?{_VALUE}", re.IGNORECASE)
_BEARER = re.compile(rf"(?<!\w)(Bearer\s+){_VALUE}", re.IGNORECASE)
_COOKIE = re.compile(rf"(?<!\w)(cookie{_IS})[^\"'\\\n]+", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^\s/:@]*:[^\s@\"']{1,500}(?=@)")  # bounded, as it is tried at each ://
_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")  # a JSON Web Token, anywhere


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
