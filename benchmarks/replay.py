"""Measures replay side by side with the exact naive way, on the same events, in one run.

    python benchmarks/replay.py [--models LIST] [--kinds LIST] [--megabytes LIST] [--rounds N]

Seeded traffic (traffic.py) is written as JSON lines and replayed by the command line, on one core. Every process begins
with empty caches and has never seen an event. A short archive comes first, by which the tokenizer and its engine are
loaded; the time until its end is the start, and is taken off. One run measures all sizes: a smaller archive is the
beginning of a larger one, and the processor time is noted where it ends.

The naive way (rivals.py) keeps its tokenizer. It runs over a sample, another one in each round, on the same core and
with the lines in memory; its time is scaled by bytes. Both are measured in processor time, which other work on the
machine disturbs least. Ratios are taken within a round, and the table has medians.

Last, two workers count all of it, beside two copies of the program that have half of it each: by the clock, with the
start, once.

Exactness is part of it: every sampled event must have the very count of the naive way, and every run the same sums,
else the exit status is 1.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from contest import Contest, Kind, Rivals
from installed_text import InstalledText
from stopwatch import cores
from traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

MODELS = {
    "Llama 3.1": "meta-llama/Llama-3.1-8B-Instruct",
    "Llama 3.2": "meta-llama/Llama-3.2-3B-Instruct",
    "Qwen 3": "Qwen/Qwen3-8B",
    "gpt-oss": "openai/gpt-oss-20b",
    "Gemma 3": "google/gemma-3-12b-it",
    "DeepSeek V3": "deepseek-ai/DeepSeek-V3",
}
WITHOUT_TOOLS = {"Gemma 3"}
"""Their templates know no tools."""
KINDS = {
    kind.name: kind
    for kind in (
        Kind("multi-turn", "multi_turn", {"naive": 20}),
        Kind("single-shot", "single_shot", {"naive": 8}),
        Kind("long documents", "documents", {"naive": 20}),
        Kind("usage reported", "mixed", {"json.loads": 8, "simdjson": 0.6}),
    )
}
LOWER = {("gpt-oss", "multi-turn"): 15}
"""Where the aim is another one."""
COLUMNS = ("model", "kind", "times as fast as", "aim")
LAST = ("events/s", "start, s", "two workers, of two copies", "checked", "faults")


class Bench:
    """Measures row by row, and prints each when it is done."""

    def __init__(self, sizes: list[int], rounds: int, text: InstalledText) -> None:
        self._sizes = sizes
        self._rounds = rounds
        self._text = text
        self.wrong: list[str] = []

    def measure(self, name: str, kinds: Iterable[Kind]) -> None:
        """Measure kinds of traffic of one model."""
        rivals = Rivals(MODELS[name])
        for kind in kinds:
            self._text.begin_anew(4)
            traffic = Traffic(self._text, MODELS[name], reported=kind.reported, tools=name not in WITHOUT_TOOLS)
            with tempfile.TemporaryDirectory() as folder:
                contest = Contest(Path(folder), kind, traffic, rivals, self._sizes)
                contest.measure(self._rounds)
                faults = contest.check()
            self.wrong += [f"{name}, {kind.name}: {what}" for what in faults]
            self._show(name, contest, kind, len(faults))
        rivals.close()

    def _show(self, name: str, contest: Contest, kind: Kind, faults: int) -> None:
        result = contest.result
        rate = len(contest.archive.places) / median(seconds[-1] for seconds in result.seconds)
        checked = len(result.counts) or len(contest.archive.places)
        last = f"{rate:,.0f}", f"{median(result.starts):.1f}", f"{result.workers:.2f}", f"{checked:,}", f"{faults:,}"
        for way, usual in kind.aims.items():
            aim = LOWER.get((name, kind.name), usual)
            found = [_cell(median(ratios), aim) for ratios in zip(*result.times[way], strict=True)]
            print(_row("any" if kind.reported else name, kind.name, way, f"{aim:g}", *found, *last), flush=True)


def _cell(times: float, aim: float) -> str:
    """Return a ratio as it is printed, marked where it is below the aim."""
    return f"{times:.3g}" if times >= aim else f"{times:.3g} missed"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(known: Iterable[str], given: str) -> list[str]:
    """Return the names of a list that is divided by commas."""
    names = [name.strip() for name in given.split(",")]
    unknown = set(names) - set(known)
    return sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}") if unknown else names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="of: %(default)s")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of: %(default)s")
    parser.add_argument("--megabytes", default="10,60,120", help="sizes, 10 or more apart (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    asked = parser.parse_args()
    models, kinds = _listed(MODELS, asked.models), [KINDS[name] for name in _listed(KINDS, asked.kinds)]
    sizes = sorted(int(size) * 1_000_000 for size in asked.megabytes.split(","))
    if min(size - before for before, size in zip((0, *sizes), sizes, strict=False)) < 10_000_000:
        parser.error("the sizes must be 10 MB or more, and as much apart")
    began = time.perf_counter()
    text = InstalledText(seed=4)
    print(f"Python {platform.python_version()}, {len(cores()[:2])} cores, {asked.rounds} rounds; text: "
          f"{text.describe()}\n")  # fmt: skip
    columns = (*COLUMNS, *(f"{size // 1_000_000} MB" for size in sizes), *LAST)
    print(_row(*columns), "|" + "---|" * len(columns), sep="\n", flush=True)
    bench = Bench(sizes, asked.rounds, text)
    for number, name in enumerate(models):
        bench.measure(name, [kind for kind in kinds if number == 0 or not kind.reported])
    print("\nevents/s, the start and the workers are those of the largest archive")
    print(f"{time.perf_counter() - began:.0f} s in all")
    if bench.wrong:
        sys.exit("counts differ:\n" + "\n".join(bench.wrong[:20]))


if __name__ == "__main__":
    main()
