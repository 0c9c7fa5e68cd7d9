"""Replays hostile events, each in a process of its own, and shows what it takes: seconds, peak memory, outcome.

    python benchmarks/hostile.py [WORD ...]

Every caller of a gateway can send these. Each is to end within 20 seconds and 512 MB, of which an ordinary event takes
4 seconds and 220 MB (gpt-oss: 400 MB, so that its bound is 700); else the exit status is 1. With words, only the inputs
that have one of them in their name.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
SECONDS = 20
MEGABYTES = {"qwen3-8b": 512, "gpt-oss-20b": 700}
Event = dict[str, Any]
HI = {"role": "user", "content": "Hi"}
_RUN = """
import resource, sys
from logcount.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def packed(body: Any) -> str:
    """Return a body as `gzip+base64` has it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base64.b64encode(gzip.compress(data)).decode()


def event(*messages: Event, answer: Any = None, model: str = "qwen3-8b", **request: Any) -> Event:
    """Return a log event of one call."""
    said = {"role": "assistant", "content": "Yes"}
    answer = answer or choices(model, [said])
    return {
        **{"v": 1, "status": 200, "responseEncoding": "gzip+base64", "requestEncoding": "gzip+base64"},
        "responseBody": packed(answer),
        "requestBody": packed({"model": model, "messages": messages, **request}),
    }


def choices(model: str, said: list[Event]) -> Event:
    """Return an answer with so many choices."""
    listed = [{"index": at, "message": one, "finish_reason": "stop"} for at, one in enumerate(said)]
    return {"object": "chat.completion", "model": model, "choices": listed}


def users(number: int) -> list[Event]:
    """Return short messages."""
    return [{"role": "user", "content": f"{at}"} for at in range(number)]


def roles(number: int, word: str = "r") -> list[Event]:
    """Return messages of which each has another role."""
    return [{"role": f"{word}{at}", "content": "x" * 8} for at in range(number)]


def tools(number: int) -> list[Event]:
    """Return small tools."""
    shape = {"type": "object", "properties": {"a": {"type": "string"}}}
    described = ({"name": f"t{at}", "description": "d", "parameters": shape} for at in range(number))
    return [{"type": "function", "function": function} for function in described]


def calls(number: int, arguments: str = '{"a": 1}') -> Event:
    """Return a message with so many tool calls."""
    made = [
        {"id": f"{at}", "type": "function", "function": {"name": "t1", "arguments": arguments}} for at in range(number)
    ]
    return {"role": "assistant", "content": "", "tool_calls": made}


def stream(chunks: int) -> bytes:
    """Return a stream of so many chunks."""
    chunk = {
        "object": "chat.completion.chunk",
        "model": "qwen3-8b",
        "choices": [{"index": 0, "delta": {"content": "a"}}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode() * chunks


def nested(levels: int) -> Any:
    """Return objects in objects."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


RESULT = {"role": "tool", "tool_call_id": "0", "content": "x"}
THOUGHT = {"role": "assistant", "content": "a", "reasoning_content": "b"}
INPUTS: dict[str, Callable[[], list[Event]]] = {
    "an ordinary event": lambda: [event(HI)],
    "4,400 roles": lambda: [event(*roles(4_400))],
    "4,400 roles, ten events": lambda: [event(*roles(4_400, f"r{at}-")) for at in range(10)],
    "10,000 messages": lambda: [event(*users(10_000))],
    "50,000 messages": lambda: [event(*users(50_000))],
    "50,000 tool results": lambda: [event(HI, calls(1), *[RESULT] * 50_000)],
    "20,000 thoughts not shown": lambda: [
        event(*({"role": "assistant", "content": f"<think>{'ab' * 50}{at}</think>x"} for at in range(20_000)), HI)
    ],
    "20,000 tools": lambda: [event(HI, tools=tools(20_000))],
    "100,000 tools": lambda: [event(HI, tools=tools(100_000))],
    "20,000 tools, gpt-oss": lambda: [event(HI, tools=tools(20_000), model="gpt-oss-20b")],
    "100,000 options": lambda: [event(HI, chat_template_kwargs={f"k{at}": at for at in range(100_000)})],
    "one option of 11 MB": lambda: [event(HI, chat_template_kwargs={"x": [[at, {"a": "b"}] for at in range(500_000)]})],
    "100,000 parts": lambda: [
        event({"role": "user", "content": [{"type": "text", "text": f"{at}"} for at in range(100_000)]})
    ],
    "50,000 calls": lambda: [event(HI, calls(50_000), RESULT)],
    "50,000 calls in the reply": lambda: [
        event(HI, tools=tools(2), answer=choices("qwen3-8b", [calls(50_000)])),
    ],
    "arguments of 1 MB": lambda: [event(HI, calls(1, json.dumps({f"k{at}": at for at in range(70_000)})), RESULT)],
    "50,000 keys in a message": lambda: [event({**HI, **{f"k{at}": at for at in range(50_000)}})],
    "400 levels": lambda: [event({**HI, "x": nested(400)})],
    "100,000 chunks": lambda: [event(HI, answer=stream(100_000))],
    "20,000 choices": lambda: [event(HI, tools=tools(2), answer=choices("qwen3-8b", [THOUGHT] * 20_000))],
    "3,000 choices, 3,000 messages": lambda: [
        event(*users(3_000), answer=choices("qwen3-8b", [THOUGHT] * 3_000)),
    ],
}


def replayed(path: Path) -> Iterator[Any]:
    """Replay an archive in a new process; give its seconds, its peak in MB, and the first outcome."""
    began = time.perf_counter()
    settings = ROOT / "benchmarks" / "accuracy.toml"
    words = ["--config", str(settings), "replay", str(path), "--each"]
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=False, timeout=300, env=os.environ
    )
    yield time.perf_counter() - began
    yield int(ran.stderr.split()[-1])
    yield json.loads(ran.stdout.splitlines()[0])


def main() -> int:
    """Show a row for each input."""
    words, failed = sys.argv[1:], 0
    print(f"{'input':32} {'KB':>7} {'s':>6} {'MB':>5}  {'prompt':>8} {'reply':>8}  counted by, and why not more")
    for name, make in INPUTS.items():
        if words and not any(word in name for word in words):
            continue
        events = make()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.jsonl"
            path.write_text("".join(json.dumps(one) + "\n" for one in events))
            size = path.stat().st_size
            seconds, peak, outcome = replayed(path)
        most = MEGABYTES["gpt-oss-20b" if "gpt-oss" in name else "qwen3-8b"]
        missed = seconds > SECONDS or peak > most
        failed += missed
        why = f"{outcome['counted_by']}; {outcome['reason'] or ''}"[:90]
        counted = f"{outcome['prompt'] or '-':>8} {outcome['completion'] or '-':>8}"
        print(
            f"{name:32} {size / 1e3:7.0f} {seconds:6.1f} {peak:5}  {counted}  {why}{'  MISSED' if missed else ''}",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
