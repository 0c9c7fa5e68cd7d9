"""One stack for all tests of the live count; each module has a container, a folder and hubs of its own on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from live_stack import Stack, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a stack for as long as the tests run."""
    with run_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def stack(
    whole_stack: Stack, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Return the stack with a container and a folder of the module's own."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    own = Stack(whole_stack.azurite, whole_stack.peer, whole_stack.ingestion, tmp_path_factory.mktemp(name), name)
    with own.container_client() as client:
        client.create_container()
    try:
        yield own
    finally:
        own.close()
        own.peer.heal()
        own.ingestion.recover()
