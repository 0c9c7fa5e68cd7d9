"""The logs of a running command: one line an entry, to stderr, with the same keys everywhere and no secret in it.

Whoever has something to say says it to the logger of its module, with its own keys as fields:

    logger.info("settled", extra={"fields": {"partition": "0", "n": 17, "events": 5000}})

That needs nothing of this module, so that every room can do it. In the JSON form each entry is an object that begins
with `time` (UTC), `level`, `logger` and `message`, and goes on with its fields; the plain form is for reading:

    10:03:17 INFO  settled partition=0 n=17 events=5000

An exception becomes the key `error`, its type and its text. Its traceback is shown at level DEBUG only: in JSON as the
key `trace`, in the plain form on lines of its own that begin with `    | `. Nothing else makes a second line: what a
terminal or a reader of lines would obey is escaped.
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
"""Characters of a text that are shown; some foreign messages hold a whole answer."""
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
"""Foreign loggers that would say too much, should anybody set them lower. The others are quiet as the root is."""


def set_up_logs(form: Literal["json", "plain"], level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send all logs of this process to stderr (or the stream); called again, it takes the place of the first.

    `level` is logcount's own; foreign loggers speak from WARNING on, whatever it is.

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
    """Writes entries as lines, and sees to it that no secret is in them, whoever wrote them."""

    def __init__(self, stream: TextIO, form: Literal["json", "plain"], *, traces: bool) -> None:
        super().__init__(stream)
        self._write = {"json": _json_line, "plain": _plain_line}[form]
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        entry = _entry(record)
        trace = _trace(record) if self._traces else ""
        return scrub(self._write(entry, trace))

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that an entry is lost; the standard way would show its arguments."""
        kind = sys.exc_info()[0] or Exception
        text = f"an entry could not be written: {kind.__name__}"
        with suppress(OSError, ValueError):  # the stream itself is gone
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
    for key, value in [*fields.items(), *([("error", _told(error))] if error else [])]:
        entry[f"{key}_" if key in entry else key] = _value(value)
    return entry


def _trace(record: logging.LogRecord) -> str:
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
    both = "\n".join(part for part in (trace, record.stack_info or "") if part)
    if len(both) > 10 * _LONGEST_TRACE:  # the end tells more; a line that is cut could hold half a secret
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
    """Return a field as JSON can hold it; what JSON has no word for is its text."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {str(key): _value(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(one) for one in value]
    if isinstance(value, BaseException):
        return _told(value)
    return _shorten(str(value))


def _told(error: BaseException) -> str:
    """Return the type and text of an error; of a group, those of its members."""
    inner: Iterable[BaseException] = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    told = "; ".join(_told(one) for one in inner) or str(error)
    return _shorten(f"{type(error).__name__}: {told}" if told else type(error).__name__)


def _shorten(text: str) -> str:
    text = scrub(text[: 10 * _LONGEST])  # before it is cut, which could make a secret unlike itself
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _one_line(text: str) -> str:
    r"""Escape, as JSON does (`\n`, `\u001b`), all that is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


# What a secret looks like in a text that somebody else wrote: the net of last resort, for our own texts hold none.
# It knows connection strings, shared access signatures, headers of HTTP, JSON and Python's rendering of either, and
# tokens by their shape. A value ends at what no key holds: a space, a quote, `;`, `&`, `,` or a bracket.

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
