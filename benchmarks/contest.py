"""Runs logcount and what it is compared with in turn over the same archive, and compares what they counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archives import empty, filled
from stopwatch import ROOT, cores, on_cores, replay, run, run_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from traffic import Traffic

SETTINGS = ROOT / "benchmarks" / "accuracy.toml"
STARTING = 1_000_000
"""Bytes of long documents by which logcount has loaded all that it loads: its engine only once that pays."""
SAMPLE = 3_000_000
"""Bytes of events that the naive way counts in a round: it takes some seconds for them."""
SKIMMED = 16_000_000
"""Bytes of events that a way without a tokenizer runs over."""
SKIMMING = 0.3
"""Seconds that such a way is repeated for: some need but milliseconds."""

Sums = tuple[int, int, int]
"""Events counted, prompt and completion tokens."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic, and what is aimed at: how many times as fast as other ways."""

    name: str
    traffic: str
    aims: dict[str, float]

    @property
    def reported(self) -> bool:
        """Say whether usage is reported: then no tokenizer is needed."""
        return "naive" not in self.aims


@dataclass
class Result:
    """What was measured, round by round; bytes and seconds are without the start."""

    seconds: list[list[float]] = field(default_factory=list)
    """Processor time that logcount takes, by size."""
    times: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    """How many times as fast logcount is, by the other way and by size."""
    starts: list[float] = field(default_factory=list)
    """Seconds of processor time until all is loaded."""
    workers: float = 0.0
    """Speed of two workers, as a share of the speed of two copies."""
    counts: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    """What the naive way counted, by the number of the event."""
    sums: set[Sums] = field(default_factory=set)
    """What every run came to: the same, if all is well."""


class Rivals:
    """The process of the ways that logcount is compared with; it lives through all rounds, on the first core."""

    def __init__(self, model: str) -> None:
        command = [sys.executable, str(Path(__file__).parent / "rivals.py"), str(SETTINGS), model]
        quiet = os.environ | {"TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false"}
        with on_cores(cores()[:1]):
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet
            )

    def run(self, way: str, path: Path, seconds: float = 0.0) -> tuple[float, Any]:
        """Return the seconds that a way took over a file's lines, and its counts; it is repeated for so long."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"way": way, "path": str(path), "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else sys.exit("the process of the other ways has ended")
        return answer["seconds"], answer["counts"]

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class Contest:
    """Measures logcount beside the other ways over one kind of traffic of one model.

    One run measures all sizes: a file of the archive ends at each. A replay opens a file when those before it are
    counted, if none is so small that it is read together with others.
    """

    def __init__(self, folder: Path, kind: Kind, traffic: Traffic, rivals: Rivals, sizes: Sequence[int]) -> None:
        self._folder = folder
        self._kind = kind
        self._rivals = rivals
        self._sizes = sizes
        self._start = filled(folder, "start", traffic.documents(), STARTING, parts=1)
        events = getattr(traffic, kind.traffic)()
        self.archive = empty(folder, "archive", len(sizes))
        for part, size in enumerate(sizes):
            self.archive.grow(events, part, lambda size=size: self.archive.size >= size)  # type: ignore[misc]
        self._paths = [*self._start.paths, *self.archive.paths]
        self.result = Result()

    def measure(self, rounds: int) -> None:
        """Measure logcount and the other ways in turn."""
        samples = self.archive.draw(rounds, min(SAMPLE, self.archive.size // rounds))
        for number in range(rounds):
            seconds = self._logcount()
            self.result.seconds.append(seconds)
            for way, speed in self._others(samples[number % len(samples)]).items():
                ratios = [size / its / speed for size, its in zip(self._sizes, seconds, strict=True)]
                self.result.times[way].append(ratios)

    def check(self) -> list[str]:
        """Count on two cores, and return what is wrong with the counts; nothing, if all is well."""
        lines = [json.loads(line) for line in self._two_cores().splitlines()]
        each = [(line["prompt"], line["completion"]) for line in lines]
        prompt, completion = (sum(one[side] or 0 for one in each) for side in (0, 1))
        sums = self.result.sums | {(sum(line["outcome"] == "counted" for line in lines), prompt, completion)}
        wrong = [f"sums that are not the same in every run: {sorted(sums)}"] if len(sums) > 1 else []
        reported = [sum(sides) for sides in zip(self._start.usage, self.archive.usage, strict=True)]
        if self._kind.reported and [prompt, completion] != reported:
            wrong.append(f"{prompt}, {completion} tokens, where {reported} are reported")
        before = len(self._start.places)
        if len(each) != before + len(self.archive.places):
            return [*wrong, f"{len(each)} lines for {before + len(self.archive.places)} events"]
        for number, (its_prompt, its_completion) in sorted(self.result.counts.items()):
            got = each[before + number]
            expected = (its_prompt, got[1] if its_completion is None else its_completion)
            if got != expected:
                wrong.append(f"event {number + 1}: {got} for {expected} ({lines[before + number]['reason']})")
        return wrong

    def _logcount(self) -> list[float]:
        """Return the seconds of processor time that each size takes, without the start."""
        stamps = self._folder / "stamps.json"
        python, *arguments = replay(self._paths, settings=SETTINGS)
        ran = run([python, str(ROOT / "benchmarks" / "stamped.py"), str(stamps), *arguments[2:]], cores()[:1])
        document = json.loads(ran.output)
        tokens = document["tokens"]
        self.result.sums.add((document["events"]["counted"], tokens["prompt"], tokens["completion"]))
        opened = json.loads(stamps.read_text())
        began, *ends = [opened[name] for name in (*map(str, self.archive.paths), "end")]
        self.result.starts.append(began)
        return [end - began for end in ends]

    def _others(self, sample: list[int]) -> dict[str, float]:
        """Return the bytes a second of each other way, over a sample."""
        if self._kind.reported:
            sample = self.archive.draw(1, SKIMMED)[0]
        path = self.archive.copy(sample, self._folder / "sample.jsonl")
        speeds: dict[str, float] = {}
        for way in self._kind.aims:
            seconds, counts = self._rivals.run(way, path, SKIMMING if self._kind.reported else 0.0)
            speeds[way] = path.stat().st_size / seconds
            if counts:
                self.result.counts |= {event: tuple(count) for event, count in zip(sample, counts, strict=True)}
        return speeds

    def _two_cores(self) -> bytes:
        """Return what two workers say of each event; they run after two copies, with half of the archive each."""
        both, number = cores()[:2], len(self.archive.places)
        shares = range(number // 2), range(number // 2, number)
        halves = [self.archive.copy(share, self._folder / f"half-{share.start}.jsonl") for share in shares]
        copies = [replay([half], settings=SETTINGS, output=["--each"]) for half in halves]
        apart = run_beside(copies, [[core] for core in (both * 2)[:2]])
        together = run(replay(self._paths, settings=SETTINGS, workers=2, output=["--each"]), both)
        self.result.workers = max(ran.wall for ran in apart) / together.wall
        return together.output
