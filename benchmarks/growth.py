"""Measures how the cost of a replay grows: with the archive, with conversations, with events, and with models.

    python benchmarks/growth.py [--rounds N] [--seconds S] [--only archive,conversation,event,models,names]

Each row is the processor time that the command line takes over an archive, less what it takes to start, in the median
of the rounds. Below each table stands the straight line through its rows and how far the farthest of them is from it,
and the exponent by which the cost grows: 1 is proportional, 0 does not grow.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from archives import STARTING, Archive, filled, first
from installed_text import InstalledText
from stopwatch import ROOT, cores, replay, run
from traffic import Logged, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Rows = Callable[[Path, InstalledText, int], Iterator["Row"]]

MODEL = "Qwen/Qwen3-8B"
SAMPLES, ACCURACY = ROOT / "samples" / "logcount.toml", ROOT / "benchmarks" / "accuracy.toml"
TOKENIZERS = (MODEL, "meta-llama/Llama-3.1-8B-Instruct", "openai/gpt-oss-20b", "deepseek-ai/DeepSeek-V3")
SMALLEST, LARGEST = 3_000_000, 300_000_000
"""Bytes of an archive, whatever the speed."""
STRAIGHT = 0.15
"""How far a row may be from the line, as a share of its own cost, for the line to be called straight."""


@dataclass(frozen=True, slots=True)
class Row:
    """An archive at one place of what grows."""

    at: float
    archive: Archive
    start: Archive
    settings: Path = SAMPLES


def archive_sizes(folder: Path, text: InstalledText, size: int) -> Iterator[Row]:
    """Return archives of multi-turn traffic, each the beginning of the next, twice as long."""
    for doublings in range(4):
        text.begin_anew(11)
        traffic = Traffic(text, MODEL)
        archive = filled(folder, f"size-{doublings}", traffic.multi_turn(), size << doublings >> 2, parts=1)
        yield Row(archive.size / 1e6, archive, _start(folder, text))


def conversation_lengths(folder: Path, text: InstalledText, size: int) -> Iterator[Row]:
    """Return archives of whole conversations of 2 to 64 turns; each request repeats all that was said."""
    for turns in (2, 4, 8, 16, 32, 64):
        archive = filled(folder, f"turns-{turns}", _conversations(text, turns), size, parts=1)
        yield Row(archive.messages / len(archive.places), archive, _start(folder, text))


def event_sizes(folder: Path, text: InstalledText, size: int) -> Iterator[Row]:
    """Return archives of single questions of 1 to 256 KB, none said before."""
    for kilobytes in (1, 4, 16, 64, 256):
        archive = filled(folder, f"event-{kilobytes}", _questions(text, MODEL, kilobytes * 1000), size, parts=1)
        yield Row(archive.size / len(archive.places) / 1e3, archive, _start(folder, text))


def models(folder: Path, text: InstalledText, size: int) -> Iterator[Row]:
    """Return archives over which one tokenizer counts, then two, up to four; starting loads all of them."""
    for number in range(1, len(TOKENIZERS) + 1):
        chosen = TOKENIZERS[:number]
        archive = filled(folder, f"models-{number}", _taking_turns(text, chosen), size, parts=1)
        loading = _taking_turns(text, chosen, long=True)
        start = filled(folder, f"models-start-{number}", loading, STARTING // 2 * number, parts=1)
        yield Row(number, archive, start, ACCURACY)


def model_names(folder: Path, text: InstalledText, size: int) -> Iterator[Row]:
    """Return archives with usage in which 1 to 10,000 names of models occur: each is a group of its own."""
    for names in (1, 10, 100, 1000, 10_000):
        chosen = [f"model-{number}" for number in range(names)]
        archive = filled(folder, f"names-{names}", _short(text, chosen), size, parts=1)
        yield Row(names, archive, _start(folder, text, reported=True))


GROWING: dict[str, tuple[str, Rows]] = {
    "archive": ("MB of archive", archive_sizes),
    "conversation": ("messages an event", conversation_lengths),
    "event": ("KB an event", event_sizes),
    "models": ("tokenizers", models),
    "names": ("names of models", model_names),
}
"""Name → what grows, and the archives for it."""


def _start(folder: Path, text: InstalledText, *, reported: bool = False) -> Archive:
    """Return an archive just long enough that all is loaded."""
    if reported:
        return first(folder, "start-reported", _questions(text, MODEL, 200, reported=True), 1)
    return filled(folder, "start", Traffic(text, MODEL).documents(), STARTING // 2, parts=1)


def _questions(text: InstalledText, model: str, characters: int, *, reported: bool = False) -> Iterator[Logged]:
    traffic = Traffic(text, model, reported=reported)
    while True:
        yield traffic.question(characters)


def _taking_turns(text: InstalledText, names: Sequence[str], *, long: bool = False) -> Iterator[Logged]:
    traffic = Traffic(text, names[0])
    kind = traffic.documents() if long else traffic.single_shot()
    while True:
        for name in names:
            traffic.model = name
            yield next(kind)


def _short(text: InstalledText, names: Sequence[str]) -> Iterator[Logged]:
    traffic = Traffic(text, names[0], reported=True)
    while True:
        for name in names:
            traffic.model = name
            yield traffic.question(100)


def _conversations(text: InstalledText, turns: int) -> Iterator[Logged]:
    traffic = Traffic(text, MODEL)
    while True:
        yield from traffic.conversation(turns)


def measure(rows: Sequence[Row], rounds: int) -> list[float]:
    """Return for each row the processor seconds of its replay, less the start: medians of rounds in turn."""
    taken: list[list[float]] = [[] for _ in rows]
    for _ in range(rounds):
        for row, its in zip(rows, taken, strict=True):
            began, whole = (
                run(replay(archive.paths, settings=row.settings), cores()[:1]).processor
                for archive in (row.start, row.archive)
            )
            its.append(max(whole - began, 1e-3))
    return [statistics.median(its) for its in taken]


def first_row(make: Rows, folder: Path, text: InstalledText, size: int) -> Row:
    return next(make(folder, text, size))


def long_enough(make: Callable[[int], Row], seconds: float) -> int:
    """Return how many bytes an archive must have for its replay to take about so long."""
    size = SMALLEST
    while size < LARGEST:
        taken = measure([make(size)], 1)[0]
        if taken >= seconds / 2:
            break
        size = int(min(size * min(seconds / taken, 8), LARGEST))
    return size


def line_through(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return intercept and slope of the straight line, and how far the farthest point is from it.

    Distances are taken as shares of the cost, so that the small rows count like the large ones.
    """
    weights = [1 / cost**2 for _, cost in points]
    total = sum(weights)
    middle = sum(weight * at for weight, (at, _) in zip(weights, points, strict=True)) / total
    mean = sum(weight * cost for weight, (_, cost) in zip(weights, points, strict=True)) / total
    spread = sum(weight * (at - middle) ** 2 for weight, (at, _) in zip(weights, points, strict=True))
    slope = sum(w * (at - middle) * (cost - mean) for w, (at, cost) in zip(weights, points, strict=True)) / spread
    intercept = mean - slope * middle
    return intercept, slope, max(abs(intercept + slope * at - cost) / cost for at, cost in points)


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line through the logarithms."""
    ats, costs = zip(*((math.log(at), math.log(cost)) for at, cost in points), strict=True)
    return statistics.linear_regression(ats, costs).slope


def show(name: str, rows: Sequence[Row], seconds: Sequence[float]) -> None:
    """Print what grows, row by row, and how."""
    what, _ = GROWING[name]
    print(f"\n### {what}\n\n| {what} | events | MB | events/s | µs an event | µs a KB |\n|---|---|---|---|---|---|")
    points = []
    for row, took in zip(rows, seconds, strict=True):
        number, size = len(row.archive.places), row.archive.size
        each = took / number * 1e6
        points.append((row.at, took if name == "archive" else each))
        print(f"| {row.at:,.3g} | {number:,} | {size / 1e6:.1f} | {number / took:,.0f} | {each:,.0f} | "
              f"{took / size * 1e9:,.1f} |")  # fmt: skip
    intercept, slope, farthest = line_through(points)
    unit = "s" if name == "archive" else "µs"
    verdict = "a straight line" if farthest <= STRAIGHT else "not a straight line"
    print(f"\n{intercept:.3g} {unit} + {slope:.3g} {unit} for each: {verdict} (farthest row {farthest:.0%} off), "
          f"exponent {exponent(points):.2f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="about what a row takes")
    parser.add_argument("--only", default=",".join(GROWING))
    asked = parser.parse_args()
    began = time.perf_counter()
    text = InstalledText(seed=8)
    for name in asked.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            make = GROWING[name][1]
            size = long_enough(partial(first_row, make, Path(folder), text), asked.seconds)
            rows = list(make(Path(folder), text, size))
            show(name, rows, measure(rows, asked.rounds))
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
