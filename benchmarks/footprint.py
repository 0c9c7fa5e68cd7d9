"""Measures the peak memory of a replay as archives grow and under adversarial traffic, and how soon `--help` answers.

    python benchmarks/footprint.py [--megabytes M] [--only sizes,unique,help]

Each replay is a process of its own; its peak is what the operating system says of it when it has ended. In the
adversarial archives nothing that a cache could keep ever comes again: texts, words, tool definitions, or conversations
of new shapes; each is replayed at four sizes, the last of M megabytes. Where the caches keep to their bounds, the last
doubling adds next to nothing.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stopwatch import ROOT, cores, replay, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS = ROOT / "samples" / "logcount.toml"
MODEL = "Qwen/Qwen3-8B"
Messages = list[dict[str, Any]]


def event(number: int) -> bytes:
    """Return a native event of 4 KB with usage."""
    usage = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}
    asked = {"model": "m", "messages": [{"role": "user", "content": f"{number} " + "lorem ipsum " * 280}]}
    return native(number, asked, {"usage": usage})


def native(number: int, request: dict[str, Any], more: dict[str, Any]) -> bytes:
    """Return a native event of this request, answered in a word."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Well."}, "finish_reason": "stop"}
    response = {"model": request["model"], "choices": [choice], **more}
    head = {"v": 1, "requestId": f"r{number}", "time": "2026-11-22T10:00:00Z", "apiId": "llm", "status": 200}
    bodies = {"responseBody": json.dumps(response), "requestBody": json.dumps(request)}
    return json.dumps(head | bodies).encode() + b"\n"


def chat(messages: Messages, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": messages, **more, "chat_template_kwargs": {"enable_thinking": False}}


def words(chances: random.Random, number: int) -> str:
    """Return words of seven letters that nobody has used before."""
    letters = base64.b32encode(chances.randbytes(5 * number)).decode().lower()
    return " ".join(letters[start : start + 7] for start in range(0, 8 * number, 8))


def unique_texts(chances: random.Random) -> Iterator[dict[str, Any]]:
    """Long histories of short messages, each message new, of ordinary words in a new order."""
    ordinary = ["the", "count", "of", "every", "call", "is", "kept", "where", "nobody", "looks", "for", "it"]
    while True:
        texts = (" ".join(chances.choices(ordinary, k=12)) + f" {chances.getrandbits(64)}" for _ in range(81))
        yield chat([{"role": ("user", "assistant")[turn % 2], "content": text} for turn, text in enumerate(texts)])


def unique_words(chances: random.Random) -> Iterator[dict[str, Any]]:
    """One question of words that never come again, some of them in no alphabet."""
    while True:
        strange = "".join(map(chr, chances.choices(range(0x4E00, 0x9FFF), k=400)))
        yield chat([{"role": "user", "content": words(chances, 600) + " " + strange}])


def unique_tools(chances: random.Random) -> Iterator[dict[str, Any]]:
    """Tool definitions that every request brings anew."""
    while True:
        names = words(chances, 12).split()
        text = {"type": "object", "properties": {name: {"type": "string", "description": name} for name in names}}
        functions = ({"name": name, "description": words(chances, 8), "parameters": text} for name in names)
        tools = [{"type": "function", "function": function} for function in functions]
        yield chat([{"role": "user", "content": "Well?"}], tools=tools)


def unique_shapes(chances: random.Random) -> Iterator[dict[str, Any]]:
    """Conversations whose roles, keys and parts come in an order that is hardly ever the same."""
    while True:
        messages: Messages = []
        for _ in range(chances.randrange(8, 40)):
            said: dict[str, Any] = {"role": chances.choice(("user", "assistant")), "content": words(chances, 3)}
            if chances.random() < 0.2:
                said["content"] = [{"type": "text", "text": words(chances, 2)} for _ in range(chances.randrange(4))]
            if chances.random() < 0.2:
                said[words(chances, 1)] = chances.getrandbits(32)
            messages.append(dict(chances.sample(list(said.items()), len(said))))
        yield chat([*messages, {"role": "user", "content": "Well?"}])


ADVERSARIAL: dict[str, Callable[[random.Random], Iterator[dict[str, Any]]]] = {
    "every message new": unique_texts,
    "every word new": unique_words,
    "every tool new": unique_tools,
    "every shape new": unique_shapes,
}


def peak(*paths: Path) -> tuple[float, int]:
    """Replay on one core; return the peak memory in MB and the number of events."""
    ran = run(replay(paths, settings=SETTINGS), cores()[:1])
    return ran.peak, json.loads(ran.output)["events"]["counted"]


def write_documents(folder: Path, number: int) -> dict[str, Path]:
    """Write the same events in the shapes that a replay meets."""
    lines = folder / f"{number}.jsonl"
    with lines.open("wb") as plain:
        plain.writelines(map(event, range(number)))
    packed = folder / f"{number}.jsonl.gz"
    with gzip.open(packed, "wb", 1) as zipped:
        zipped.writelines(map(event, range(number)))
    array = folder / f"{number}.json"
    with array.open("wb") as document:
        document.write(b"[" + event(0))
        document.writelines(b"," + event(order) for order in range(1, number))
        document.write(b"]")
    return {"JSON lines": lines, "gzip": packed, "one JSON array": array}


def sizes(folder: Path, _megabytes: float) -> None:
    """Show that memory does not grow with the archive."""
    print("| archive, usage reported | events | peak MB |\n|---|---|---|")
    small, large = write_documents(folder, 8_000), write_documents(folder, 80_000)
    for shape in small:
        for path in (small[shape], large[shape]):
            used, counted = peak(path)
            print(f"| {shape}, {path.stat().st_size / 1e6:,.0f} MB | {counted:,} | {used:.0f} |", flush=True)
    many = folder / "many"
    many.mkdir()
    for order in range(10_000):
        (many / f"{order}.jsonl").write_bytes(event(order))
    used, counted = peak(many)
    print(f"| folder of 10,000 files | {counted:,} | {used:.0f} |", flush=True)


def unique(folder: Path, megabytes: float) -> None:
    """Show that memory does not grow with what caches are given, beyond their bounds."""
    start = folder / "start.jsonl"
    start.write_bytes(native(0, chat([{"role": "user", "content": "Well?"}]), {}))
    began, _ = peak(start)
    shares = [megabytes / 2**halvings for halvings in (3, 2, 1, 0)]
    heads = " | ".join(f"{share:,.3g} MB" for share in shares)
    print(f"\nNo usage; peak MB after so much of the archive; after one event {began:.0f}\n")
    print(f"| adversarial archive | {heads} | the last doubling adds |\n|---|---|---|---|---|---|")
    for name, make in ADVERSARIAL.items():
        path = folder / f"{name}.jsonl"
        peaks, requests, number = [], make(random.Random(3)), 0
        with path.open("wb") as archive:
            for share in shares:
                while archive.tell() < share * 1e6:
                    number += archive.write(native(number, next(requests), {})) > 0
                archive.flush()
                peaks.append(peak(path)[0])
        path.unlink()
        print(f"| {name} | {' | '.join(f'{used:.0f}' for used in peaks)} | {peaks[-1] - peaks[-2]:+.0f} |", flush=True)


def help_answers(_folder: Path, _megabytes: float) -> None:
    """Show how soon the command line answers."""
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "logcount", "--help"], capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    print(f"\n`logcount --help`: {statistics.median(taken) * 1000:.0f} ms")


SECTIONS = {"sizes": sizes, "unique": unique, "help": help_answers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=400)
    parser.add_argument("--only", default=",".join(SECTIONS))
    asked = parser.parse_args()
    for name in asked.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            SECTIONS[name](Path(folder), asked.megabytes)


if __name__ == "__main__":
    main()
