"""What a pattern of differences is taken for, and that nothing is said where nothing is clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logcount.calibration import Calibration, Compared, Comparison, ExchangeRef, ModelCalibration

if TYPE_CHECKING:
    from collections.abc import Iterable

Pair = tuple[int, int]
"""Reported and counted."""


def _row(
    prompts: Iterable[Pair] = (), completions: Iterable[Pair] = (), *, doubt: str | None = None, cached: bool = False
) -> ModelCalibration:
    calibration = Calibration()
    for name, pairs in (("prompt", prompts), ("completion", completions)):
        for number, (reported, counted) in enumerate(pairs):
            side, nothing = Compared(reported, counted, doubt), Compared(None, None, "not reported")
            prompt, completion = (side, None) if name == "prompt" else (nothing, side)
            comparison = Comparison("m", "t", prompt, completion, cached=cached and reported != counted)
            calibration.add(comparison, ExchangeRef("a", number))
    return calibration.rows.get(("m", "t"), ModelCalibration())


def _found(side: str, pairs: Iterable[Pair], *, doubt: str | None = None, cached: bool = False) -> tuple[str, str]:
    prompts, completions = (pairs, ()) if side == "prompt" else ((), pairs)
    finding = _row(prompts, completions, doubt=doubt, cached=cached).findings[side]
    return finding.verdict, finding.cause or ""


SIZES = [9, 31, 57, 140, 12, 88, 402, 77, 23, 61] * 3
EXACT = [(size, size) for size in SIZES]


def test_equal_numbers_are_exact() -> None:
    assert _found("prompt", EXACT) == ("exact", "")
    assert _row(EXACT, EXACT).verdict == "exact"


@pytest.mark.parametrize(
    ("side", "offset", "cause"),
    [
        ("prompt", 3, "+3 in 30 of 30: this chat template adds what the server's does not"),
        ("prompt", -21, "-21 in 30 of 30: the server's chat template, or a system text of its own"),
        ("completion", 1, "+1 in 30 of 30: the server does not count the stop token?"),
        ("completion", -1, "-1 in 30 of 30: the server counts a token that the text does not show"),
        ("completion", -5, "-5 in 30 of 30: the server counts other tokens around a reply"),
    ],
)
def test_always_the_same_difference_is_told_by_its_side_and_sign(side: str, offset: int, cause: str) -> None:
    verdict, told = _found(side, [(size - offset, size) for size in SIZES if size > offset])
    assert verdict == "offset"
    assert told.startswith(cause)


def test_a_difference_in_some_and_always_the_same_is_told_too() -> None:
    assert _found("prompt", [*EXACT, *((size, size + 25) for size in SIZES[:7])])[1].startswith("+25 in 7 of 37: ")


def test_a_template_that_adds_a_few_different_texts_is_no_other_tokenizer() -> None:
    pairs = [(size, size + (25 if number % 3 else 20)) for number, size in enumerate(SIZES)]
    verdict, cause = _found("prompt", pairs)
    assert verdict == "offset"
    assert cause.startswith("+25 in 20, +20 in 10 of 30: this chat template adds")


def test_of_exchanges_of_one_size_no_cause_is_named() -> None:
    assert _found("prompt", [(18, 16)] * 13) == ("offset", "-2 in 13 of 13, all of one size: too alike to tell why")


SCATTERED = [(size, size + (number * 7) % 5 + size // 20 - 1) for number, size in enumerate(SIZES)]


@pytest.mark.parametrize("side", ["prompt", "completion"])
def test_differences_that_are_never_the_same_look_like_another_tokenizer(side: str) -> None:
    verdict, cause = _found(side, SCATTERED)
    assert verdict == "mismatch"
    assert "never by the same: another model's tokenizer" in cause


def test_a_wrong_tokenizer_stands_out_of_a_side_that_fits_by_chance() -> None:
    row = _row([(18, 18)] * 30, SCATTERED)
    assert row.verdict == "mismatch"
    assert [finding.verdict for finding in row.findings.values()] == ["exact", "mismatch"]


def test_where_completions_are_exact_it_is_the_template_that_is_suspected() -> None:
    cause = _row(SCATTERED, EXACT).findings["prompt"].cause or ""
    assert cause.endswith("the completions are exact: another chat template?")


def test_reports_that_are_too_small_where_a_cache_was_reported_are_told() -> None:
    pairs = [*EXACT, *((size, size + 7 * number + 40) for number, size in enumerate(SIZES))]
    verdict, cause = _found("prompt", pairs, cached=True)
    assert (verdict, cause.split(":")[0]) == ("cache", "less reported in 30 of 60, where a cache was reported")


def test_reports_that_are_far_too_small_beside_exact_ones_may_be_a_cache() -> None:
    pairs = [*EXACT, *((number + 1, 200 + 3 * number) for number in range(20))]
    assert _found("prompt", pairs)[0] == "cache"
    assert _found("completion", pairs)[0] != "cache"


def test_few_differences_are_no_pattern() -> None:
    assert _found("prompt", [(44, 71)]) == ("differs", "1 of 1 differ")
    assert _found("prompt", [*EXACT * 2, (9, 12), (70, 61)]) == ("nearly", "2 of 62 differ")


def test_lower_bounds_above_the_reports_are_a_mismatch_whatever_the_doubts() -> None:
    bounds = [(size, size + size // 10 + 2) for size in SIZES]
    verdict, cause = _found("completion", bounds, doubt="cut")
    assert verdict == "mismatch"
    assert cause.startswith("even what was counted in part is above the report in 30 of 30")
    assert _found("completion", [(size, size + 1) for size in SIZES], doubt="cut")[0] == "not compared"


def test_a_doubt_that_every_report_contradicts_is_told() -> None:
    verdict, cause = _found("completion", EXACT, doubt="hidden reasoning in the reply is not counted")
    assert verdict == "differs"
    assert "yet the count is all that was reported: another model's chat template?" in cause


def test_what_was_never_compared_says_why() -> None:
    assert _found("prompt", [(9, 2)], doubt="cut") == ("not compared", "cut (1 of 1)")
    assert _row().verdict == "not compared"
