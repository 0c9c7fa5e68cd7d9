"""A share of the events of a live count is calibrated: always the same ones, and with no effect on any count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from wire import event

from logcount.calibration import Compared, Comparison
from logcount.counting import Counter
from logcount.metrics.fold import PointMaker
from logcount.metrics.series import SeriesBudget
from logcount.metrics.tallies import Tallier
from logcount.model.counts import Outcome, TokenCount
from logcount.model.exchanges import LONGEST_NAME
from logcount.model.points import (
    ASTRAY,
    CALIBRATED,
    EXACT,
    OTHER,
    TOTAL,
    Calibrated,
    MetricSet,
    Point,
    Tally,
)
from logcount.pipeline import Pipeline, is_sampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logcount.model.events import LogEvent
    from logcount.ports import Tokenizer
    from logcount.tokenizers import TransformersTokenizer

AT = datetime(2026, 11, 22, 10, 3, 17, tzinfo=UTC)
LABEL = "org/model f00d"
COUNT = TokenCount(9, 12, 21, "usage")


BODIES = {
    "requestBody": '{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}',
    "responseBody": '{"model": "m", "choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}],'
    '"usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}}',
}


def _events(number: int) -> list[LogEvent]:
    told = {"v": 1, "requestId": "a"} | BODIES
    return [event(told, one, enqueued=AT + timedelta(seconds=one)) for one in range(number)]


def _tallied(tokenizer: Tokenizer, share: float, events: Sequence[LogEvent]) -> list[Tally]:
    pipeline = Pipeline(Counter(lambda _: tokenizer), calibrate=share)
    return [tally for tallies in Tallier(("Model",)).tally(pipeline.outcomes(events)) for tally in tallies]


def test_about_the_share_of_the_events_is_sampled_and_a_repeat_is_the_same() -> None:
    events = _events(20_000)
    sampled = [one.position for one in events if is_sampled(one, 0.01)]
    assert 140 <= len(sampled) <= 260
    assert [one.position for one in reversed(events) if is_sampled(one, 0.01)] == sampled[::-1]
    wider = {one.position for one in events if is_sampled(one, 0.05)}
    assert wider > set(sampled)
    assert all(is_sampled(one, 1.0) for one in events[:100])


def test_partitions_do_not_sample_the_same_numbers() -> None:
    here = _events(5000)
    there = [event(b"", number, enqueued=AT + timedelta(seconds=number, milliseconds=7)) for number in range(5000)]
    sampled = [{one.position for one in events if is_sampled(one, 0.1)} for events in (here, there)]
    assert sampled[0] != sampled[1]


def test_calibration_changes_nothing_of_a_tally_but_what_it_adds(tiny: TransformersTokenizer) -> None:
    events = _events(300)
    plain, some, every = (_tallied(tiny, share, events) for share in (0.0, 0.2, 1.0))
    assert [tally._replace(calibrated=()) for tally in some] == plain
    assert [tally._replace(calibrated=()) for tally in every] == plain
    assert not any(tally.calibrated for tally in plain)
    assert [bool(tally.calibrated) for tally in some] == [is_sampled(one, 0.2) for one in events]


def test_each_side_is_split_by_model_tokenizer_and_side(tiny: TransformersTokenizer) -> None:
    (tally,) = _tallied(tiny, 1.0, _events(1))
    named = (("Model", "m"), ("Tokenizer", f"{tiny.name} {tiny.fingerprint}"))
    prompt = tiny.count("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert tally.calibrated == (
        Calibrated((*named, ("Side", "prompt")), 9, prompt),
        Calibrated((*named, ("Side", "completion")), 12, tiny.count("Hello.") + 1),
    )


def test_a_side_that_cannot_be_compared_is_in_no_point_and_long_names_are_cut() -> None:
    sides = Compared(9, 4, "cut"), Compared(None, 4, "not reported")
    outcomes = [
        Outcome(COUNT, model="m", comparison=Comparison("m", LABEL, *sides)),
        Outcome(COUNT, comparison=Comparison("m" * 300, None, Compared(1, 1), None)),
    ]
    ((first, second),) = Tallier(()).tally([outcomes])
    assert first.calibrated == ()
    assert second.calibrated == (Calibrated((("Model", "m" * LONGEST_NAME), ("Side", "prompt")), 1, 1),)


def _fold(tallies: Sequence[Tally], most: int = 1000) -> dict[tuple[str, tuple[tuple[str, str], ...]], Point]:
    sets = [MetricSet("llm", ("Model",), (TOTAL,)), MetricSet("chargeback", (), (TOTAL,))]
    points = PointMaker(sets, SeriesBudget(most)).fold(tallies, AT)
    assert {point.namespace for point in points if point.metric in {CALIBRATED, ASTRAY, EXACT}} <= {"llm"}
    return {(point.metric, point.dimensions): point for point in points if point.set == 0}


numbers = st.tuples(st.integers(0, 50), st.integers(0, 50))


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=20))
def test_points_tell_the_exact_share_the_mean_and_the_worst_error(some: list[tuple[int, int]]) -> None:
    split = (("Model", "m"), ("Side", "prompt"))
    tallies = [Tally("uncounted", 7, (), "r", calibrated=(Calibrated(split, *pair),)) for pair in some]
    points, errors = _fold(tallies), [abs(counted - reported) for reported, counted in some]
    found = {metric: point for (metric, dimensions), point in points.items() if dimensions == split}
    assert (found[EXACT].sum, found[EXACT].count) == (errors.count(0), len(some))
    assert (found[ASTRAY].sum, found[ASTRAY].max, found[ASTRAY].min) == (sum(errors), max(errors), min(errors))
    assert (found[CALIBRATED].sum, found[CALIBRATED].count) == (sum(reported for reported, _ in some), len(some))


def test_the_series_of_calibration_are_in_the_budget_too() -> None:
    tallies = [
        Tally("skipped", 7, (), "r", calibrated=(Calibrated((("Model", f"m{number}"),), 9, 9),)) for number in range(10)
    ]
    names = {dimensions[0][1] for metric, dimensions in _fold(tallies, most=7) if metric == EXACT}
    assert names == {"m0", "m1", OTHER}
