"""Measures replay side by side with the naive ways, on the same events, in one run.

    python benchmarks/replay.py [--rounds N] [--events N]

Every way runs in turn, round after round, so that a slow moment of the machine touches all. The table has the medians
of the rounds, and of the ratios within each round. Loading tokenizers is not timed. The events are made from a seed:
nothing is fetched.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prose import Prose
from transformers import AutoTokenizer

from logcount.aggregate import Summary
from logcount.cli.wiring import make_shelf
from logcount.counting import Counter
from logcount.replay import Replay
from logcount.settings import Settings, load_settings
from logcount.settings.dimensions import DEFAULT_DIMENSIONS
from logcount.sources import ArchiveSource
from logcount.tokenizers import TokenizerStore, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
MODEL = "Qwen/Qwen3-8B"
Totals = tuple[int, int]


def events(number: int, prose: Prose, *, usage: bool) -> list[bytes]:
    """Return native events of chats with one to nine turns of history; mean 7 KB."""
    chance = random.Random(number)
    lines = []
    for order in range(number):
        messages = [
            {"role": ("user", "assistant")[turn % 2], "content": prose.write(chance.randrange(20, 400))}
            for turn in range(2 * chance.randrange(5) + 1)
        ]
        request = {"model": MODEL, "messages": messages, "chat_template_kwargs": {"enable_thinking": False}}
        message = {"role": "assistant", "content": prose.write(chance.randrange(20, 400))}
        response: dict[str, Any] = {"id": f"c{order}", "model": MODEL}
        response["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        if usage:
            response["usage"] = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
        event = {"v": 1, "requestId": f"r{order}", "time": "2026-11-22T10:00:00Z", "apiId": "llm", "status": 200}
        event |= {"responseBody": json.dumps(response), "requestBody": json.dumps(request)}
        lines.append(json.dumps(event).encode() + b"\n")
    return lines


def replayed(path: Path, tokenizer: Any) -> Totals:
    """Count with logcount: the whole way from the file to the sums."""
    summary = Summary(DEFAULT_DIMENSIONS)
    handler = Replay(Counter(lambda _model: tokenizer).count, summary)
    asyncio.run(ArchiveSource([str(path)]).deliver(handler.handle))
    return summary.overall.prompt, summary.overall.completion


def loaded(path: Path) -> Totals:
    """Do nothing but decode each line with the standard library, twice where a body is JSON in JSON."""
    prompt = completion = 0
    with path.open("rb") as lines:
        for line in lines:
            response = json.loads(json.loads(line)["responseBody"])
            prompt += response["usage"]["prompt_tokens"]
            completion += response["usage"]["completion_tokens"]
    return prompt, completion


def parsed(path: Path) -> Totals:
    """Do nothing but decode each line with the standard library."""
    with path.open("rb") as lines:
        for line in lines:
            json.loads(line)
    return 0, 0


def templated(path: Path, tokenizer: Any) -> Totals:
    """Count the exact naive way: `json.loads`, `apply_chat_template`, `encode`, with the tokenizer kept."""
    prompt = completion = 0
    with path.open("rb") as lines:
        for line in lines:
            event = json.loads(line)
            request, response = json.loads(event["requestBody"]), json.loads(event["responseBody"])
            shown = tokenizer.apply_chat_template(
                request["messages"], tokenize=False, add_generation_prompt=True, **request["chat_template_kwargs"]
            )
            prompt += len(tokenizer.encode(shown, add_special_tokens=False))
            answer = response["choices"][0]["message"]["content"]
            completion += len(tokenizer.encode(answer, add_special_tokens=False)) + 1
    return prompt, completion


def compare(ways: dict[str, Callable[[], Totals]], number: int, size: int, rounds: int) -> None:
    """Run every way in turn and print a row each: the first is what the others are compared with."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    totals = {}
    for _ in range(rounds):
        for name, run in ways.items():
            began = time.perf_counter()
            totals[name] = run()
            seconds[name].append(time.perf_counter() - began)
    first = next(iter(ways))
    for name, taken in seconds.items():
        ratio = statistics.median(theirs / ours for ours, theirs in zip(seconds[first], taken, strict=True))
        median = statistics.median(taken)
        print(f"| {name} | {number / median:,.0f} | {size / median / 1e6:,.0f} | {ratio:.2f} | {sum(totals[name]):,} |")


def plain_tokenizer(settings: Settings) -> Any:
    """Return what the naive way uses: transformers' own object, kept."""
    setting = settings.tokenizers["*qwen3*"]
    spec = parse_spec("*qwen3*", setting.origin, setting.chat_template, base=settings.base)
    return AutoTokenizer.from_pretrained(TokenizerStore(settings.tokenizer_store).folder(spec))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=4000)
    asked = parser.parse_args()
    settings = load_settings(ROOT / "samples" / "logcount.toml")
    tokenizer = make_shelf(settings)(MODEL)
    assert tokenizer is not None
    prose = Prose(tokenizer.count, seed=7)
    plain = plain_tokenizer(settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        for usage, number in ((True, asked.events), (False, asked.events // 20)):
            lines = events(number, prose, usage=usage)
            path.write_bytes(b"".join(lines))
            size = path.stat().st_size
            title = "usage reported" if usage else "no usage"
            print(f"\n{title}: {number:,} events, {size / number / 1e3:.1f} KB each\n")
            print("| way | events/s | MB/s | time, logcount's = 1 | tokens |\n|---|---|---|---|---|")
            ways: dict[str, Callable[[], Totals]] = {"logcount replay": lambda: replayed(path, tokenizer)}
            if usage:
                ways["json.loads of the event"] = lambda: parsed(path)
                ways["json.loads of event and response"] = lambda: loaded(path)
            else:
                ways["json.loads, apply_chat_template, encode"] = lambda: templated(path, plain)
            compare(ways, number, size, asked.rounds)


if __name__ == "__main__":
    main()
