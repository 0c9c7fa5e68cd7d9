"""What the operator decides, and what chance does not bring about: scenes with a given course."""

from __future__ import annotations

import pytest
from scenes import SCENES


@pytest.mark.parametrize("told", SCENES)
def test_scene(told: str) -> None:
    SCENES[told]()
