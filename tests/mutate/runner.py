"""Runs tests on a copy of the source, with one mutation in it or none."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutate.mutation import Mutation

TESTS = Path(__file__).parent.parent
PACKAGE = TESTS.parent / "src" / "logcount"
HEAVY = ["jinja2.sandbox", "msgspec", "pytest", "tokenizers", "transformers.utils.chat_template_utils"]
"""Imported once for all runs; nothing of what is mutated is among it."""
OPTIONS = ["-x", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
"""Until one fails; plugins come with what is imported before pytest looks for them."""
LONGEST_RUN = 300.0
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (?:tests/)?(.+?)(?: - .*)?$", re.MULTILINE)


def run(tests: Sequence[str], source: Path, told: Path) -> None:
    """Run tests on a copy of the source until one fails, and end with pytest's status."""
    sys.path.insert(0, str(source))
    with told.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        import pytest  # noqa: PLC0415  (the parent needs it not)

        import logcount  # noqa: PLC0415  (the copy)

        assert Path(logcount.__file__).is_relative_to(source)
        status = pytest.main([*OPTIONS, *(str(TESTS / test) for test in tests)])
    sys.exit(int(status))


class Runner:
    """Runs tests on a copy of the source, each time in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "told"
        self._source = folder / "src"
        self._package = shutil.copytree(
            PACKAGE, self._source / "logcount", ignore=shutil.ignore_patterns("__pycache__")
        )
        os.environ["PYTHONPATH"] = os.pathsep.join([str(self._source), str(TESTS)])
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
        # Two texts of one length within a second would share what was compiled of the first.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.environ["TRANSFORMERS_VERBOSITY"] = "error"
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(HEAVY)

    def failure(self, tests: Sequence[str]) -> str | None:
        """Return the first test that fails; None where all of them pass."""
        process = self._context.Process(target=run, args=(tests, self._source, self._told))
        process.start()
        process.join(LONGEST_RUN)
        if process.exitcode is None:
            process.kill()
            return "no end"
        told = self._told.read_text(encoding="utf-8")
        if process.exitcode == 0:
            return None
        found = _FAILURE.search(told)
        if process.exitcode != 1 or found is None:  # nothing was tried, as where a module cannot be imported
            raise RuntimeError(f"{tests} did not run:\n{told}")
        return found[1]

    def failure_with(self, mutation: Mutation) -> str | None:
        """Return the first test that fails with a mutation."""
        before = mutation.put(self._package)
        try:
            return self.failure(mutation.tests)
        finally:
            (self._package / mutation.path).write_text(before, encoding="utf-8")
