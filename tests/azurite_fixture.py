"""One Azurite for all tests: a module that needs it says `pytest_plugins = ["azurite_fixture"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azurite import Azurite, run_azurite

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Run Azurite for as long as the tests run."""
    with run_azurite() as running:
        yield running
