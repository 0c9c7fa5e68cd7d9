"""The naive ways to count, each kept as simple as people write it, in a process of their own.

    python benchmarks/rivals.py SETTINGS MODEL

It loads what it needs, then takes a line of JSON at a time, `{"way": …, "path": …, "seconds": …}`, and answers with
one: the seconds of processor time that the way took for the lines of that file, already in memory, and the counts that
it came to, event by event. It is run again until so many seconds are over, once at least.
"""

from __future__ import annotations

import json
import sys
import time
from fnmatch import fnmatchcase
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ceilings import available

from logcount.settings import load_settings
from logcount.tokenizers import TokenizerStore, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Count = tuple[int | None, int | None]
"""Prompt and completion; None where the way has no answer."""

BATCH = 256
"""Events whose texts are handed to `encode_batch_fast` at once."""


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
        from transformers import AutoTokenizer  # noqa: PLC0415 - heavy, and its time is not to be hidden

        self._load: Callable[[], Any] = partial(AutoTokenizer.from_pretrained, str(folder))
        self._tokenizer: Any = self._load()
        self._closing = self._after_reply()

    def templated(self, lines: Sequence[bytes]) -> list[Count]:
        """Count one event after the other."""
        return [self._count(json.loads(line), json.loads) for line in lines]

    def batched(self, lines: Sequence[bytes]) -> list[Count]:
        """Count with a faster JSON decoder, and the texts in batches by `encode_batch_fast`."""
        loads: Callable[[Any], Any] = json.loads
        if find_spec("orjson"):
            loads = import_module("orjson").loads
        counts: list[Count] = []
        encode = self._tokenizer.backend_tokenizer.encode_batch_fast
        for start in range(0, len(lines), BATCH):
            sides = [self._texts(loads(line), loads) for line in lines[start : start + BATCH]]
            texts = [text for prompt, reply, _ in sides for text in (prompt, reply or "")]
            sizes = [len(encoding) for encoding in encode(texts, add_special_tokens=False)]
            for (_, reply, ended), prompt, completion in zip(sides, sizes[::2], sizes[1::2], strict=True):
                counts.append((prompt, None if reply is None else completion + ended))
        return counts

    def seed(self, lines: Sequence[bytes]) -> list[Count]:
        """Count as the example did that logcount began from.

        The tokenizer is loaded at every call, the request's JSON is counted as it is, each side twice, once for a line
        of the log; a stream cannot be read and is 0.
        """
        counts: list[Count] = []
        for line in lines:
            tokenizer = self._load()
            event = json.loads(line)
            request = event["requestBody"]
            try:
                json.loads(request)
                answer = json.loads(event["responseBody"])["choices"][0]["message"]["content"] or ""
            except ValueError:
                counts.append((0, 0))
                continue
            str(tokenizer.tokenize(request)), str(tokenizer.tokenize(answer))
            counts.append((len(tokenizer.tokenize(request)), len(tokenizer.tokenize(answer))))
        return counts

    def _count(self, event: Any, loads: Callable[[Any], Any]) -> Count:
        prompt, reply, ended = self._texts(event, loads)
        size = len(self._tokenizer.encode(prompt, add_special_tokens=False))
        if reply is None:
            return size, None
        return size, len(self._tokenizer.encode(reply, add_special_tokens=False)) + ended

    def _texts(self, event: Any, loads: Callable[[Any], Any]) -> tuple[str, str | None, int]:
        """Return the prompt as the model was shown it, the reply as it wrote it, and 1 where it ended it itself."""
        request = loads(event["requestBody"])
        said, finish = _reply(event["responseBody"], loads)
        messages = [_prepared(message) for message in request["messages"]]
        options = {"tools": request.get("tools"), **request.get("chat_template_kwargs", {})}
        prompt = self._render(messages, options, open_reply=True)
        reply: str | None = said["content"]
        if said.get("tool_calls"):
            closed = self._render([*messages, _prepared(said)], options, open_reply=False)
            written = closed[len(prompt) :].removesuffix(self._closing)
            shown = closed.startswith(prompt) and closed.endswith(self._closing) and said["content"].strip() in written
            reply = written if shown else None  # some templates leave out what is said beside a call
        return prompt, reply, finish in {"stop", "tool_calls"}

    def _render(self, messages: list[dict[str, Any]], options: dict[str, Any], *, open_reply: bool) -> str:
        shown: str = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=open_reply, **options
        )
        return shown

    def _after_reply(self) -> str:
        """Return what the template writes after a reply."""
        shown = self._render(
            [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "Rb"}], {}, open_reply=False
        )
        return shown.rpartition("Rb")[2]


def _prepared(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as servers hand it to the template: arguments as objects, missing content as the empty text."""
    prepared = {**message, "content": message.get("content") or ""}
    if message.get("tool_calls"):
        functions = (call["function"] for call in message["tool_calls"])
        parsed = [{**one, "arguments": json.loads(one["arguments"])} for one in functions]
        calls = zip(message["tool_calls"], parsed, strict=True)
        prepared["tool_calls"] = [{**call, "function": function} for call, function in calls]
    return prepared


def _reply(body: str, loads: Callable[[Any], Any]) -> tuple[dict[str, Any], str]:
    """Return the assistant's message, put together from chunks where it was streamed, and how it ended."""
    if not body.startswith("data:"):
        choice = loads(body)["choices"][0]
        return {**choice["message"], "content": choice["message"]["content"] or ""}, choice["finish_reason"]
    content: list[str] = []
    calls: list[dict[str, Any]] = []
    finish = ""
    for line in body.split("\n\n"):
        data = line.removeprefix("data: ")
        if not data or data == "[DONE]":
            continue
        choice = loads(data)["choices"][0]
        content.append(choice["delta"].get("content") or "")
        for call in choice["delta"].get("tool_calls", ()):
            if "id" in call:
                calls.append({"id": call["id"], "type": "function", "function": dict(call["function"])})
            else:
                calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        finish = choice["finish_reason"] or finish
    said: dict[str, Any] = {"role": "assistant", "content": "".join(content)}
    return (said | {"tool_calls": calls} if calls else said), finish


def main() -> None:
    """Answer until the standard input ends."""
    naive = Naive(folder_of(Path(sys.argv[1]), sys.argv[2]))
    ways: dict[str, Callable[[Sequence[bytes]], list[Count] | None]] = {
        "templated": naive.templated,
        "batched": naive.batched,
        "seed": naive.seed,
        **available(),
    }
    print(json.dumps(list(ways)), flush=True)
    for asked in sys.stdin:
        question = json.loads(asked)
        lines = Path(question["path"]).read_bytes().splitlines(keepends=True)
        passes, began = 0, time.process_time()
        while passes == 0 or time.process_time() - began < question["seconds"]:
            counts = ways[question["way"]](lines)
            passes += 1
        seconds = (time.process_time() - began) / passes
        print(json.dumps({"seconds": seconds, "counts": counts}), flush=True)


if __name__ == "__main__":
    main()
