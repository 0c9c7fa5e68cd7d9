"""The ways that logcount is compared with, each kept as simple as people write it, in a process of their own.

    python benchmarks/rivals.py SETTINGS MODEL

It takes a line of JSON at a time, `{"way": …, "path": …, "seconds": …}`, and answers with one: the seconds of processor
time that the way took for the lines of that file, already in memory, and the counts that it came to, event by event. A
way is run again until so many seconds are over, once at least. What it needs is loaded before its first run, untimed.
"""

from __future__ import annotations

import json
import sys
import time
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logcount.settings import load_settings
from logcount.tokenizers import TokenizerStore, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Lines = Sequence[bytes]

Count = tuple[int, int | None]
"""Prompt and completion; None where the way has no answer."""


def folder_of(settings_path: Path, model: str) -> Path:
    """Return the folder of the tokenizer that the settings give to a model."""
    settings = load_settings(settings_path)
    pattern = next(one for one in settings.tokenizers if fnmatchcase(model.lower(), one.lower()))
    setting = settings.tokenizers[pattern]
    spec = parse_spec(pattern, setting.origin, setting.chat_template, base=settings.base)
    return TokenizerStore(settings.tokenizer_store).folder(spec)


class Naive:
    """The exact naive way: `json.loads`, `apply_chat_template`, `encode`, with the tokenizer kept."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer  # noqa: PLC0415 - heavy, and only this way needs it

        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
        self._opening, self._closing = self._around_reply()

    def count(self, lines: Lines) -> list[Count]:
        """Count one event after the other."""
        return [self._count(json.loads(line)) for line in lines]

    def _count(self, event: Any) -> Count:
        prompt, reply, ended = self._texts(event)
        size = len(self._tokenizer.encode(prompt, add_special_tokens=False))
        if reply is None:
            return size, None
        return size, len(self._tokenizer.encode(reply, add_special_tokens=False)) + ended

    def _texts(self, event: Any) -> tuple[str, str | None, int]:
        """Return the prompt as the model was shown it, the reply as it wrote it, and 1 where it ended it itself."""
        request = json.loads(event["requestBody"])
        said, finish = _reply(event["responseBody"])
        messages = [_prepared(message) for message in request["messages"]]
        options = {"tools": request.get("tools"), **request.get("chat_template_kwargs", {})}
        prompt = self._render(messages, options, open_reply=True)
        reply: str | None = self._opening + said["content"]
        if said.get("tool_calls"):
            closed = self._render([*messages, _prepared(said)], options, open_reply=False)
            written = closed[len(prompt) :].removesuffix(self._closing)
            said_so = [said["content"].strip(), *(call["function"]["name"] for call in said["tool_calls"])]
            shown = closed.startswith(prompt) and closed.endswith(self._closing)
            reply = written if shown and all(part in written for part in said_so) else None  # some leave a part out
        return prompt, reply, finish in {"stop", "tool_calls"}

    def _render(self, messages: list[dict[str, Any]], options: dict[str, Any], *, open_reply: bool) -> str:
        shown: str = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=open_reply, **options
        )
        return shown

    def _around_reply(self) -> tuple[str, str]:
        """Return what a model writes before its reply, such as a channel, and what the template writes after it."""
        options = {"enable_thinking": False}
        asked = [{"role": "user", "content": "Q"}]
        prompt = self._render(asked, options, open_reply=True)
        closed = self._render([*asked, {"role": "assistant", "content": "Rb"}], options, open_reply=False)
        opening, _, closing = closed.removeprefix(prompt).rpartition("Rb")
        return opening, closing


def _prepared(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as servers hand it to the template: arguments as objects, missing content as the empty text."""
    prepared = {**message, "content": message.get("content") or ""}
    if message.get("tool_calls"):
        functions = (call["function"] for call in message["tool_calls"])
        parsed = [{**one, "arguments": json.loads(one["arguments"])} for one in functions]
        calls = zip(message["tool_calls"], parsed, strict=True)
        prepared["tool_calls"] = [{**call, "function": function} for call, function in calls]
    return prepared


def _reply(body: str) -> tuple[dict[str, Any], str]:
    """Return the assistant's message, put together from chunks where it was streamed, and how it ended."""
    if not body.startswith("data:"):
        choice = json.loads(body)["choices"][0]
        return {**choice["message"], "content": choice["message"]["content"] or ""}, choice["finish_reason"]
    content: list[str] = []
    calls: list[dict[str, Any]] = []
    finish = ""
    for line in body.split("\n\n"):
        data = line.removeprefix("data: ")
        if not data or data == "[DONE]":
            continue
        choice = json.loads(data)["choices"][0]
        content.append(choice["delta"].get("content") or "")
        for call in choice["delta"].get("tool_calls", ()):
            if "id" in call:
                calls.append({"id": call["id"], "type": "function", "function": dict(call["function"])})
            else:
                calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        finish = choice["finish_reason"] or finish
    said: dict[str, Any] = {"role": "assistant", "content": "".join(content)}
    return (said | {"tool_calls": calls} if calls else said), finish


def decode_all(lines: Lines) -> None:
    """Decode the event and both bodies, chunk by chunk where they were streamed: whoever reads usage begins so."""
    for line in lines:
        event = json.loads(line)
        json.loads(event["requestBody"])
        response = event["responseBody"]
        if not response.startswith("data:"):
            json.loads(response)
            continue
        for chunk in response.split("\n\n"):
            data = chunk.removeprefix("data: ")
            if data and data != "[DONE]":
                json.loads(data)


def parse(lines: Lines) -> None:
    """Parse each event with simdjson, and build nothing."""
    parser = import_module("simdjson").Parser()
    for line in lines:
        parser.parse(line)


@cache
def way_of(name: str) -> Callable[[Lines], list[Count] | None]:
    """Return a way by its name, with all that it needs loaded."""
    if name == "naive":
        return Naive(folder_of(Path(sys.argv[1]), sys.argv[2])).count
    return {"json.loads": decode_all, "simdjson": parse}[name]


def main() -> None:
    """Answer until the standard input ends."""
    for asked in sys.stdin:
        question = json.loads(asked)
        way = way_of(question["way"])
        lines = Path(question["path"]).read_bytes().splitlines(keepends=True)
        passes, began = 0, time.process_time()
        while passes == 0 or time.process_time() - began < question["seconds"]:
            counts = way(lines)
            passes += 1
        seconds = (time.process_time() - began) / passes
        print(json.dumps({"seconds": seconds, "counts": counts}), flush=True)


if __name__ == "__main__":
    main()
