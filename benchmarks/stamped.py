"""Runs logcount, and writes the processor time that was taken when each of its files was first opened, and at the end.

python benchmarks/stamped.py STAMPS --config … replay …
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    stamps = Path(sys.argv.pop(1))
    seconds: dict[str, float] = {}

    def note(event: str, details: tuple[Any, ...]) -> None:
        if event == "open" and details[0] in sys.argv:
            seconds.setdefault(details[0], time.process_time())

    sys.addaudithook(note)
    try:
        runpy.run_module("logcount", run_name="__main__", alter_sys=True)
    finally:
        seconds["end"] = time.process_time()
        stamps.write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
