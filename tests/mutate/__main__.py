"""`python -m mutate [WORD ...]`: puts each mutation into a copy of the source, and says which test fails for it.

With words, only mutations are tried that have one of them in their name. Ends with status 1 if a mutation survives,
or if a test fails without any.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mutate.runner import Runner
from mutate.table import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutate.mutation import Mutation


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(runner: Runner, name: str, mutation: Mutation) -> bool:
    """Try a mutation, say in a line what came of it, and return whether it survived for no reason."""
    if mutation.argued:
        say(f"argued    {name}: {mutation.why}")
        return False
    began = time.monotonic()
    failed = runner.failure_with(mutation)
    word = "survived" if failed is None else "killed"
    say(f"{word:9} {name}: {failed or mutation.why} ({time.monotonic() - began:.1f} s)")
    return failed is None


def main(words: Sequence[str]) -> int:
    """Try all mutations, or those with one of the words in their names."""
    chosen = {name: one for name, one in MUTATIONS.items() if not words or any(word in name for word in words)}
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        # A test that fails anyway would kill every mutation.
        failed = runner.failure(sorted({test for mutation in chosen.values() for test in mutation.tests}))
        if failed is not None:
            say(f"{failed} fails without any mutation")
            return 1
        survived = [name for name, mutation in chosen.items() if tell(runner, name, mutation)]
    argued = sum(mutation.argued for mutation in chosen.values())
    killed = len(chosen) - argued - len(survived)
    say(f"{len(chosen)} mutations: {killed} killed, {argued} argued, {len(survived)} survived")
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
