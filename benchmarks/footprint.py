"""Measures the peak memory of a replay at sizes ten times apart, and how soon `--help` answers.

    python benchmarks/footprint.py

Each replay is a process of its own; its peak is what the operating system says of it when it has ended.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOGCOUNT = [sys.executable, "-m", "logcount"]


def event(number: int) -> bytes:
    """Return a native event of 4 KB with usage."""
    request = {"model": "m", "messages": [{"role": "user", "content": f"{number} " + "lorem ipsum " * 280}]}
    usage = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}
    response = {"model": "m", "choices": [{"message": {"content": "Well."}, "finish_reason": "stop"}], "usage": usage}
    head = {"v": 1, "requestId": f"r{number}", "time": "2026-11-22T10:00:00Z", "apiId": "llm", "status": 200}
    return (
        json.dumps(head | {"responseBody": json.dumps(response), "requestBody": json.dumps(request)}).encode() + b"\n"
    )


def peak(paths: Path) -> tuple[float, int]:
    """Replay and return the peak memory in MB and the number of events."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([*LOGCOUNT, "replay", str(paths), "--output", "json"], stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        out.seek(0)
        return used.ru_maxrss / 1024, json.load(out)["events"]["counted"]


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


def main() -> None:
    print("| archive | events | peak MB |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = write_documents(folder, 8_000), write_documents(folder, 80_000)
        for shape in small:
            for path in (small[shape], large[shape]):
                used, counted = peak(path)
                print(f"| {shape}, {path.stat().st_size / 1e6:,.0f} MB | {counted:,} | {used:.0f} |")
        many = folder / "many"
        many.mkdir()
        for order in range(10_000):
            (many / f"{order}.jsonl").write_bytes(event(order))
        used, counted = peak(many)
        print(f"| folder of 10,000 files | {counted:,} | {used:.0f} |")
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run([*LOGCOUNT, "--help"], capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    print(f"\n`logcount --help`: {statistics.median(taken) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
