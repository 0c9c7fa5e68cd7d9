"""The table of mutations is of the source as it stands; `make mutate` tries them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutate.table import MUTATIONS

import logcount

TESTS = Path(__file__).parent
PACKAGE = Path(logcount.__file__).parent


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_to_be_replaced_stands_there_once(name: str) -> None:
    mutation = MUTATIONS[name]
    text = (PACKAGE / mutation.path).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old
    compile(text.replace(mutation.old, mutation.new), mutation.path, "exec")
    assert mutation.why


def test_the_tests_that_are_named_are_there() -> None:
    for test in {test for mutation in MUTATIONS.values() for test in mutation.tests}:
        path, _, name = test.partition("[")[0].partition("::")
        assert f"def {name}" in (TESTS / path).read_text(encoding="utf-8"), test
