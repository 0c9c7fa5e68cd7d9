"""What answers mean: the table row by row, and that no item is lost or counted twice whatever an answer holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fast_clock import NOW
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logcount.sinks.outcomes import Fate, HttpResponse, judge, judge_silence
from logcount.sinks.pauses import RetryDelay, asked_pause, pause

if TYPE_CHECKING:
    from logcount.sinks.outcomes import Verdict

OLD = "103: Field 'time' on type 'Envelope' is older than the allowed min date. Expected: now - 172800000ms, Actual: x"
HOST = "westeurope-5.in.applicationinsights.azure.com"


def error(index: Any, status: Any, message: Any = "") -> dict[str, Any]:
    return {"index": index, "statusCode": status, "message": message}


def answer(status: int, *errors: Any, received: Any = None, accepted: Any = None) -> HttpResponse:
    document: dict[str, Any] = {"errors": list(errors)}
    if accepted is not None:
        document |= {"itemsReceived": received, "itemsAccepted": accepted}
    return HttpResponse(status, HOST, {}, json.dumps(document).encode())


def fates(verdict: Verdict) -> list[Fate]:
    return [item.fate for item in verdict.items]


BY_STATUS: list[tuple[int, RetryDelay, bool]] = [
    # status, delay, halved
    (307, RetryDelay.SLOWLY, False),
    (308, RetryDelay.SLOWLY, False),
    (400, RetryDelay.AT_ONCE, True),
    (401, RetryDelay.SLOWLY, False),
    (402, RetryDelay.RARELY, False),
    (403, RetryDelay.SLOWLY, False),
    (404, RetryDelay.SLOWLY, False),
    (405, RetryDelay.SLOWLY, False),
    (408, RetryDelay.SOON, False),
    (413, RetryDelay.AT_ONCE, True),
    (415, RetryDelay.SLOWLY, False),
    (418, RetryDelay.SOON, False),
    (429, RetryDelay.SOON, False),
    (439, RetryDelay.RARELY, False),
    (500, RetryDelay.SOON, False),
    (502, RetryDelay.SOON, False),
    (503, RetryDelay.SOON, False),
    (504, RetryDelay.SOON, False),
]


@pytest.mark.parametrize(("status", "delay", "halved"), BY_STATUS)
def test_a_status_without_a_list_of_errors_is_about_the_whole_request(
    status: int, delay: RetryDelay, halved: bool
) -> None:
    verdict = judge(HttpResponse(status, HOST), 3, NOW)

    assert fates(verdict) == ["again"] * 3
    assert (verdict.delay, verdict.halve, verdict.whole) == (delay, halved, not halved)
    assert verdict.trouble is not None
    assert verdict.trouble.startswith(f"{status} from {HOST}: ")


@pytest.mark.parametrize(("status", "said"), [(400, "400: not valid"), (413, "413: too large")])
def test_an_item_that_is_refused_alone_is_refused(status: int, said: str) -> None:
    (item,) = judge(HttpResponse(status, HOST), 1, NOW).items

    assert (item.fate, item.said) == ("refused", said)


BY_ITEM: list[tuple[Any, str, Fate, RetryDelay]] = [
    # an item's status, its message, its fate, the delay at which it is sent again
    (200, "", "accepted", RetryDelay.AT_ONCE),
    (206, "Telemetry sampled out.", "accepted", RetryDelay.AT_ONCE),
    (307, "", "again", RetryDelay.SLOWLY),
    (400, "", "refused", RetryDelay.AT_ONCE),
    (400, OLD, "late", RetryDelay.AT_ONCE),
    (400, "Invalid instrumentation key", "again", RetryDelay.SLOWLY),
    (401, "", "again", RetryDelay.SLOWLY),
    (402, "", "again", RetryDelay.RARELY),
    (403, "", "again", RetryDelay.SLOWLY),
    (404, "", "again", RetryDelay.SLOWLY),
    (408, "", "again", RetryDelay.SOON),
    (413, "", "refused", RetryDelay.AT_ONCE),
    (418, "", "again", RetryDelay.SOON),
    (429, "", "again", RetryDelay.SOON),
    (439, "", "again", RetryDelay.RARELY),
    (500, "", "again", RetryDelay.SOON),
    (503, "", "again", RetryDelay.SOON),
    (None, "", "again", RetryDelay.SOON),
    ("400", "", "again", RetryDelay.SOON),
    (True, "", "again", RetryDelay.SOON),
]


@pytest.mark.parametrize(("status", "message", "fate", "delay"), BY_ITEM)
def test_an_item_with_an_error_has_its_own_fate_and_the_others_are_accepted(
    status: Any, message: str, fate: Fate, delay: RetryDelay
) -> None:
    verdict = judge(answer(206, error(1, status, message), received=3, accepted=2), 3, NOW)

    assert fates(verdict) == ["accepted", fate, "accepted"]
    assert (verdict.delay, verdict.halve, verdict.whole) == (delay, False, False)


SAID = [
    (error(0, 400, OLD), "400 103: time too old"),
    (error(0, 400, "104: Field 'time' on type 'Envelope' is newer than the max date."), "400 104: time too new"),
    (error(0, 400, "117: Field 'x' is CANARY"), "400 117: not valid"),
    (error(0, 400, "12345: CANARY"), "400: not valid"),
    (error(0, 400, "CANARY"), "400: not valid"),
    (error(0, 413, "CANARY"), "413: too large"),
    (error(0, 400, ["CANARY"]), "400: not valid"),
]


@pytest.mark.parametrize(("entry", "said"), SAID)
def test_of_a_message_only_its_number_and_a_known_phrase_are_kept(entry: dict[str, Any], said: str) -> None:
    assert judge(answer(400, entry), 1, NOW).items[0].said == said


def test_a_status_is_the_first_items_and_every_item_has_its_own() -> None:
    verdict = judge(answer(400, error(0, 400, OLD), error(1, 503), error(2, 400), received=3, accepted=0), 3, NOW)

    assert fates(verdict) == ["late", "again", "refused"]
    assert verdict.delay == RetryDelay.SOON
    assert not verdict.whole


def test_where_every_item_is_to_be_sent_again_the_service_is_in_trouble() -> None:
    verdict = judge(answer(439, error(0, 439), error(1, 429), received=2, accepted=0), 2, NOW)

    assert (verdict.whole, verdict.delay) == (True, RetryDelay.RARELY)
    assert verdict.trouble == f"439 from {HOST}: the quota is used up"


@pytest.mark.parametrize("status", [400, 500])
def test_items_that_an_answer_without_acceptance_leaves_out_are_sent_again_in_halves(status: int) -> None:
    verdict = judge(answer(status, error(1, 400)), 4, NOW)

    assert fates(verdict) == ["again", "refused", "again", "again"]
    assert verdict.halve


ODD_INDEXES = [-1, 3, 10**30, 1.0, "1", None, True, [1]]


@pytest.mark.parametrize("index", ODD_INDEXES)
@pytest.mark.parametrize("status", [200, 206])
def test_an_error_that_names_no_item_leaves_all_open_unless_the_numbers_agree(status: int, index: Any) -> None:
    entry = error(index, 400)

    assert judge(answer(status, entry), 3, NOW).halve
    assert fates(judge(answer(status, entry, received=3, accepted=2), 3, NOW)) == ["again"] * 3
    assert fates(judge(answer(status, entry, received=3, accepted=3), 3, NOW)) == ["accepted"] * 3


@pytest.mark.parametrize("index", ODD_INDEXES)
def test_an_error_is_about_the_only_item_whatever_it_names(index: Any) -> None:
    assert fates(judge(answer(206, error(index, 400)), 1, NOW)) == ["refused"]
    assert fates(judge(answer(206, error(index, 503)), 1, NOW)) == ["again"]


def test_of_two_errors_for_an_item_the_one_that_loses_nothing_holds() -> None:
    for pair in [(error(0, 400), error(0, 500)), (error(0, 500), error(0, 206))]:
        assert fates(judge(answer(206, *pair, received=2, accepted=1), 2, NOW)) == ["again", "accepted"]
        assert fates(judge(answer(206, *reversed(pair), received=2, accepted=1), 2, NOW)) == ["again", "accepted"]


def test_a_200_that_accepts_fewer_than_it_was_sent_is_looked_into() -> None:
    assert fates(judge(answer(200, received=3, accepted=3), 3, NOW)) == ["accepted"] * 3
    verdict = judge(answer(200, received=3, accepted=2), 3, NOW)
    assert (fates(verdict), verdict.halve) == (["again"] * 3, True)
    (item,) = judge(answer(200, received=1, accepted=0), 1, NOW).items
    assert (item.fate, item.said) == ("refused", "200: not accepted, and no reason given")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"itemsAccepted":"3"}', b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 206])
def test_what_is_no_answer_of_the_service_accepts_nothing(status: int, body: bytes) -> None:
    verdict = judge(HttpResponse(status, HOST, {}, body), 3, NOW)

    assert fates(verdict) == ["again"] * 3
    assert (verdict.whole, verdict.delay) == (True, RetryDelay.SLOWLY)


def test_no_answer_means_again() -> None:
    verdict = judge_silence("it did not come in time", HOST, 2)

    assert fates(verdict) == ["again"] * 2
    assert verdict.trouble == f"no answer from {HOST}: it did not come in time"


whole_numbers = st.integers(-3, 9) | st.integers()
odd: st.SearchStrategy[Any] = st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})
statuses = st.sampled_from([status for status, _, _ in BY_STATUS] + [200, 206]) | st.integers(100, 599)
entries = (
    st.fixed_dictionaries(
        {},
        optional={
            "index": whole_numbers | odd,
            "statusCode": statuses | odd,
            "message": st.sampled_from([OLD, "Invalid instrumentation key", "109: x"]) | st.text(max_size=9) | odd,
        },
    )
    | odd
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "itemsReceived": whole_numbers | odd,
        "itemsAccepted": whole_numbers | odd,
        "errors": st.lists(entries, max_size=8) | odd,
    },
)
bodies = documents.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=20)


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(status=statuses, body=bodies, count=st.integers(1, 6), retry_after=st.none() | st.text(max_size=30))
@example(status=206, body=b'{"itemsAccepted":1,"errors":[{}]}', count=2, retry_after="0")
def test_every_item_has_exactly_one_fate_and_sending_comes_to_an_end(
    status: int, body: bytes, count: int, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    verdict = judge(HttpResponse(status, HOST, headers, body), count, NOW)

    assert len(verdict.items) == count
    assert all(item.fate in {"accepted", "late", "refused", "again"} for item in verdict.items)
    again = fates(verdict).count("again")
    if again == count:
        # Nothing was settled: then there is a pause, or fewer are sent the next time.
        assert verdict.delay > RetryDelay.AT_ONCE or (verdict.halve and again > 1)
    assert (verdict.trouble is not None) == (again > 0)
    if "accepted" in fates(verdict) and status not in {200, 206}:
        named = [entry["statusCode"] for entry in json.loads(body)["errors"] if isinstance(entry, dict)]
        assert 200 in named or 206 in named


RETRY_AFTER = [
    (None, None),
    ("0", 0.0),
    (" 40 ", 40.0),
    ("1.5", 1.0),
    ("86400", 3600.0),
    ("9" * 5000, 3600.0),
    ("Sun, 22 Nov 2026 10:05:57 GMT", 40.0),
    ("Sun, 22 Nov 2026 11:05:57 +0100", 40.0),
    ("Sun, 22 Nov 2026 10:05:57 -0000", 40.0),
    ("Sun, 22 Nov 2026 10:00:00 GMT", 0.0),
    ("Mon, 23 Nov 2026 10:05:57 GMT", 3600.0),
    ("-1", None),
    ("soon", None),
    ("", None),
    ("Sun, 99 Nov 99999 10:05:57 GMT", None),
]


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, seconds: float | None) -> None:
    assert asked_pause(header, NOW) == seconds


@settings(max_examples=150, derandomize=True, database=None)
@given(
    st.text(max_size=40) | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{2,5} [\d:]{0,9} [A-Z+\-\d]{0,6}")
)
def test_no_retry_after_breaks_anything(header: str) -> None:
    asked = asked_pause(header, NOW)

    assert asked is None or 0 <= asked <= 3600


@pytest.mark.parametrize("delay", [RetryDelay.SOON, RetryDelay.SLOWLY, RetryDelay.RARELY])
def test_pauses_grow_up_to_a_bound_and_are_never_shorter_than_asked(delay: RetryDelay) -> None:
    pauses = [pause(delay, failures, None, 1.0) for failures in range(40)]

    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[1]
    assert pauses[-1] <= 3600
    assert all(pause(delay, failures, None, 0.0) == each / 2 for failures, each in enumerate(pauses))
    assert pause(delay, 0, 3000.0, 0.0) >= 3000
