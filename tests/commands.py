"""Runs the command line as a user would: in a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Json:
        document: Json = json.loads(self.out)
        return document

    @property
    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]


def logcount(*arguments: str | Path, cwd: Path, stdin: bytes = b"", **environment: str) -> Ran:
    """Run `logcount`; settings in the environment are those that are given here and no others."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LOGCOUNT_")}
    ran = subprocess.run(
        [sys.executable, "-m", "logcount", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=inherited | environment,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def native(number: int, *, usage: tuple[int, int] | None = (9, 12), **fields: Any) -> Json:
    """Return a native event of a chat, with or without usage."""
    answer: Json = {
        "model": "tiny",
        "choices": [{"index": 0, "message": {"content": "Hello."}, "finish_reason": "stop"}],
    }
    if usage:
        answer["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}
    event: Json = {"v": 1, "requestId": f"r{number}", "time": f"2026-11-22T10:{number:02}:00Z", "apiId": "chat"}
    return event | {"status": 200} | fields | {"responseBody": json.dumps(answer), "requestBody": json.dumps(asked)}


def write_lines(path: Path, events: list[Any]) -> Path:
    """Write an archive of JSON lines; bytes are written as they are."""
    lines = (event if isinstance(event, bytes) else json.dumps(event).encode() for event in events)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
