"""`python -m hostile [WORD ...]`: replays hostile events, each input in a process of its own, and shows what it takes.

Every caller of a gateway can send these. Each is to end within 20 seconds and 512 MB, of which an ordinary event takes
4 seconds and 200 MB (gpt-oss: 400 MB, for a moment, while its tokenizer is loaded); else the exit status is 1. With
words, only the inputs that have one of them in their name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostile.inputs import HI, MANY, Exchange, exchange, roles

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Path(__file__).parents[2] / "benchmarks" / "accuracy.toml"
SECONDS = 20
MEGABYTES = 512
_PATIENCE = 300  # seconds until an input is given up
_RUN = """
import sys
from logcount.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:  # of this program alone
        print([line.split()[1] for line in status if line.startswith("VmHWM")][0], file=sys.stderr)
"""
SIZES = (
    ("roles", 4_400),
    ("messages", 10_000),
    ("messages", 50_000),
    ("tool results", 50_000),
    ("thoughts not shown", 20_000),
    ("tools", 20_000),
    ("tools", 100_000),
    ("tools, gpt-oss", 20_000),
    ("options", 100_000),
    ("values in one option", 500_000),
    ("like values in one option", 300_000),
    ("content parts", 100_000),
    ("calls", 50_000),
    ("calls in the reply", 50_000),
    ("keys in the arguments", 70_000),
    ("keys in a message", 50_000),
    ("keys in each of 20 messages", 50_000),
    ("levels", 400),
    ("levels, no end", 1_000_000),
    ("chunks", 200_000),
    ("chunks of calls and thoughts", 200_000),
    ("calls in a reply after a long thought", 50_000),
    ("tools behind a long message", 20_000),
    ("choices", 20_000),
    ("choices after as many messages", 3_000),
    ("choices after as many options", 9_000),
)


@dataclass(frozen=True)
class Taken:
    """What a replay took, and its first outcome; no outcome where it did not end by itself."""

    seconds: float
    megabytes: int
    outcome: dict[str, Any] | None


def inputs() -> Iterator[tuple[str, list[Exchange]]]:
    """Give the inputs with their names; they are made when asked for, as some are large."""
    yield "an ordinary event", [exchange(HI)]
    for name, size in SIZES:
        yield f"{size:,} {name}", [MANY[name](size)]
    yield "4,400 roles, ten events", [exchange(*roles(4_400, f"r{at}-")) for at in range(10)]


def replayed(path: Path) -> Taken:
    """Replay an archive in a new process."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _RUN, "--config", str(SETTINGS), "replay", str(path), "--each"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return Taken(time.perf_counter() - began, 0, None)
    seconds = time.perf_counter() - began
    told, peak = ran.stdout.splitlines(), ran.stderr.split()
    ended = bool(told and peak) and peak[-1].isdigit()
    return Taken(seconds, int(peak[-1]) // 1024, json.loads(told[0])) if ended else Taken(seconds, 0, None)


def main() -> int:
    """Show a row for each input."""
    words, missed = sys.argv[1:], 0
    row = "{:38} {:>8} {:>7} {:>6} {:>5}  {:>8} {:>8}  {}\n"
    heads = ("input", "body KB", "log KB", "s", "MB", "prompt", "reply", "counted by, and why not more")
    sys.stdout.write(row.format(*heads))
    for name, exchanges in inputs():
        if words and not any(word in name for word in words):
            continue
        bodies = sum(len(one.request) + len(one.response) for one in exchanges)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.jsonl"
            path.write_text("".join(json.dumps(one.event()) + "\n" for one in exchanges), encoding="utf-8")
            logged = path.stat().st_size
            exchanges.clear()
            taken = replayed(path)
        bad = taken.outcome is None or taken.seconds > SECONDS or taken.megabytes > MEGABYTES
        missed += bad
        counts, why = _shown(taken.outcome)
        sizes = f"{bodies / 1e3:.0f}", f"{logged / 1e3:.0f}", f"{taken.seconds:.1f}", taken.megabytes
        sys.stdout.write(row.format(name, *sizes, *counts, why + ("  MISSED" if bad else "")))
        sys.stdout.flush()
    return 1 if missed else 0


def _shown(outcome: dict[str, Any] | None) -> tuple[tuple[str, str], str]:
    if outcome is None:
        return ("-", "-"), "it did not end by itself"
    why = f"{outcome['counted_by'] or '-'}; {outcome['reason'] or ''}"[:90]
    return (f"{outcome['prompt'] or '-'}", f"{outcome['completion'] or '-'}"), why


if __name__ == "__main__":
    sys.exit(main())
