"""The logs of a command: one line an entry, the same keys everywhere, and never a secret, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from logcount.cli.logs import scrub, set_up_logs
from logcount.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("logcount.run.test")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the process's loggers as they were found."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    named = {name: one.level for name, one in logging.Logger.manager.loggerDict.items() if hasattr(one, "level")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in list(logging.Logger.manager.loggerDict):
        logging.getLogger(name).setLevel(named.get(name, logging.NOTSET))
    logging.captureWarnings(False)


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    return stream


@pytest.fixture
def plain() -> io.StringIO:
    stream = io.StringIO()
    set_up_logs("plain", stream=stream)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(error: BaseException) -> None:
    raise error


def test_an_entry_has_the_same_first_keys_and_then_its_own(lines: io.StringIO) -> None:
    log.info("settled", extra={"fields": {"partition": "0", "n": 17, "lag": None, "sinks": ["otlp"]}})

    (entry,) = entries(lines)
    assert list(entry) == ["time", "level", "logger", "message", "partition", "n", "lag", "sinks"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry == {
        "level": "INFO",
        "logger": "logcount.run.test",
        "message": "settled",
        "partition": "0",
        "n": 17,
        "lag": None,
        "sinks": ["otlp"],
    }


def test_the_plain_form_is_calm_to_read(plain: io.StringIO) -> None:
    log.info("settled", extra={"fields": {"partition": "0", "n": 17, "why": "two words", "empty": "", "lag": None}})
    logging.getLogger("azure.eventhub").warning("link detached")

    first, second = plain.getvalue().splitlines()
    assert re.fullmatch(r'\d\d:\d\d:\d\d INFO  settled partition=0 n=17 why="two words" empty="" lag=null', first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARN  azure.eventhub: link detached", second)


def test_a_field_never_takes_the_place_of_a_key_that_all_have(lines: io.StringIO) -> None:
    log.info("settled", extra={"fields": {"time": 1, "message": "forged"}})

    (entry,) = entries(lines)
    assert (entry["message"], entry["time_"], entry["message_"]) == ("settled", 1, "forged")


def test_what_json_has_no_word_for_is_written_as_its_text(lines: io.StringIO) -> None:
    fields = {"rate": float("nan"), "path": io.BytesIO, "error_": ValueError("x"), "keys": {1: (2, {3})}}
    log.info("odd", extra={"fields": fields})

    (entry,) = entries(lines)
    assert (entry["rate"], entry["error_"], entry["keys"]) == ("nan", "ValueError: x", {"1": [2, [3]]})


@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize(
    "separator", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1b[2K\r", "\x85", "\u2028", "\u2029", "\0"]
)
def test_no_value_can_forge_a_line_or_command_a_terminal(form: Any, separator: str) -> None:
    stream = io.StringIO()
    set_up_logs(form, stream=stream)
    forged = f"innocent{separator}10:03:17 INFO  forged"

    log.info("said %s", forged, extra={"fields": {"value": forged, forged: 1, "inside": [{"a": forged}]}})
    try:
        fail(Unavailable(forged))
    except Unavailable:
        log.exception("failed")

    said = stream.getvalue()
    assert len(said.splitlines()) == 2
    assert said.replace("\n", "").isprintable()
    if form == "json":
        assert entries(stream)[0]["value"] == forged
        assert entries(stream)[1]["error"] == f"Unavailable: {forged}"


def test_an_exception_is_one_line_with_its_type_and_text(lines: io.StringIO) -> None:
    try:
        fail(ExceptionGroup("tasks", [Unavailable("the store"), ExceptionGroup("more", [KeyError("k"), ValueError()])]))
    except ExceptionGroup:
        log.exception("failed", extra={"fields": {"partition": "0"}})

    (entry,) = entries(lines)
    assert entry["error"] == "ExceptionGroup: Unavailable: the store; ExceptionGroup: KeyError: 'k'; ValueError"
    assert "trace" not in entry


@pytest.mark.parametrize("form", ["json", "plain"])
def test_a_traceback_is_shown_at_level_debug_without_its_secrets(form: Any) -> None:
    stream = io.StringIO()
    set_up_logs(form, "debug", stream=stream)

    try:
        try:
            fail(ValueError("Endpoint=sb://x/;SharedAccessKey=c2VjcmV0\n10:03:17 INFO  forged"))
        except ValueError as error:
            raise Unavailable("Bearer c2VjcmV0") from error
    except Unavailable:
        log.exception("failed", stack_info=True)

    said = stream.getvalue()
    assert "c2Vj" not in said
    assert "Traceback (most recent call last)" in said
    assert "Stack (most recent call last)" in said
    if form == "json":
        assert "SharedAccessKey=***\n" in entries(stream)[0]["trace"]
    else:
        first, *rest = said.splitlines()
        assert first.endswith('failed error="Unavailable: Bearer ***"')
        assert all(line.startswith("    | ") for line in rest)


def test_the_logs_of_others_are_heard_from_warning_on_even_at_level_debug() -> None:
    stream = io.StringIO()
    noisy = "azure.core.pipeline.policies.http_logging_policy"
    logging.getLogger(noisy).setLevel(logging.DEBUG)
    logging.getLogger("azure.eventhub._pyamqp").setLevel(logging.DEBUG)
    set_up_logs("json", "debug", stream=stream)

    for name in (noisy, "azure.eventhub._pyamqp.link", "aiohttp.access", "somebody.else"):
        logging.getLogger(name).info("the URL and headers of a request")
        logging.getLogger(name).warning("trouble")
    log.debug("ours")

    assert [entry["message"] for entry in entries(stream)] == ["trouble"] * 4 + ["ours"]


def test_a_warning_of_python_is_an_entry_too(lines: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up_logs("json", stream=lines)
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    (entry,) = entries(lines)
    assert (entry["logger"], entry["level"]) == ("py.warnings", "WARNING")
    assert "DeprecationWarning: old" in entry["message"]


def test_setting_up_again_takes_the_place_of_the_first(lines: io.StringIO) -> None:
    other = io.StringIO()
    set_up_logs("plain", "error", stream=other)

    log.warning("unheard")
    log.error("heard")

    assert lines.getvalue() == ""
    assert other.getvalue().endswith("ERROR heard\n")


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Misconfigured, match="'loud' is no level of logs"):
        set_up_logs("json", "loud")


def test_an_entry_that_cannot_be_written_is_told_without_its_values(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger().handlers.clear()  # those of pytest would raise
    set_up_logs("json", stream=lines)
    log.info("%d events", "the secret of somebody")
    log.info("next")

    assert [entry["message"] for entry in entries(lines)] == ["an entry could not be written: TypeError", "next"]
    assert capsys.readouterr().err == ""


def test_a_stream_that_is_gone_stops_nobody() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    stream.close()

    log.info("unheard")


def test_a_text_without_end_is_cut(lines: io.StringIO) -> None:
    log.info("x" * 1_000_000, extra={"fields": {"answer": "y" * 1_000_000}})

    assert len(lines.getvalue()) < 5000


SECRET = "c2VjcmV0LXNlY3JldA+/=="

WRITTEN = [
    "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey={};EntityPath=hub",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "InstrumentationKey={};IngestionEndpoint=https://x.in.applicationinsights.azure.com/",
    "https://a.blob.core.windows.net/c/b?sv=2024-01-01&sp=r&sig={}&se=2027",
    "https://f.azurewebsites.net/api/count?code={}&x=1",
    "https://logger:{}@proxy.example/",
    "url=https%3A%2F%2Fa%2Fc%3Fsig%3D{}",
    "SharedAccessSignature sr=sb%3A%2F%2Fns&sig={}&se=1&skn=listen",
    "BlobEndpoint=https://a/;SharedAccessSignature={}",
    "Authorization: Bearer {}",
    "Authorization: SharedKey account:{}",
    "authorization={}",
    "{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}",
    '{{"Authorization":"Basic {}"}}',
    '{{"account_key":1,"AccountKey":"{}"}}',
    '{{\\"SharedAccessKey\\": \\"{}\\"}}',
    "{{'api-key': b'{}'}}",
    "LOGCOUNT_STORAGE__ACCOUNT_KEY=none storage.AccountKey={} x_api_key={}",
    "Ocp-Apim-Subscription-Key: {}",
    "Cookie: session={}; other={}",
    "client_secret={}&grant_type=client_credentials",
    '{{"access_token": "{}", "expires_in": 3599}}',
    '"iKey":"{}"',
    "got eyJhbGciOiJub25lIn0.eyJzdWIiOiJjMlZqY21WMCJ9.{} from the endpoint",
]


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("form", ["json", "plain"])
def test_no_secret_is_written_wherever_it_stands(text: str, form: Any) -> None:
    text = text.format(*[SECRET] * text.count("{}"))
    stream = io.StringIO()
    set_up_logs(form, "debug", stream=stream)
    foreign = logging.getLogger("azure.somewhere")

    foreign.warning(text)
    foreign.warning("%s", [text], extra={"fields": {"value": text, "nested": {"deep": [text]}, text: 1}})
    foreign.warning("long %s", "x" * 1900 + " " + text)
    try:
        fail(ValueError(text))
    except ValueError:
        foreign.exception("failed %r", text)

    assert stream.getvalue().count("***") >= 8
    assert SECRET[:6] not in stream.getvalue()
    if form == "json":
        assert len(entries(stream)) == 4


@pytest.mark.parametrize("piece", ["://a:", "-eyJaaaaaaaa", "authorization=a ", "sig= ", "\\\\", "cookie:"])
def test_a_hostile_text_is_scrubbed_without_trying_for_ever(piece: str, plain: io.StringIO) -> None:
    log.info(piece * 1_000_000)

    assert len(plain.getvalue()) < 10_000


def test_a_secret_field_is_hidden_by_its_name(lines: io.StringIO) -> None:
    log.info("connected", extra={"fields": {"AccountKey": SECRET, "headers": {"api-key": SECRET}}})

    (entry,) = entries(lines)
    assert (entry["AccountKey"], entry["headers"]) == ("***", {"api-key": "***"})


@pytest.mark.parametrize(
    "text",
    [
        "counted tokens=21 partition=0 model=llama",
        "SharedAccessKeyName=listen",
        "design=good status code=503",
        "https://example.com:8080/path",
        "the key is refused; a token could not be had",
        "10:03:17 INFO  settled",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrub(text) == text
