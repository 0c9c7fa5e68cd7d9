"""The names of dimensions: which are on by default, which are known, and how many Azure takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.model.points import DIMENSIONS_AT_MOST

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_DIMENSIONS = (
    *("API ID", "Operation ID", "Product ID", "Subscription ID"),
    *("Location", "Gateway ID", "Model", "Counted By"),
)
"""On unless the settings say otherwise; User ID, Backend ID and Client IP only if asked."""

DIMENSION_NAMES = (
    *DEFAULT_DIMENSIONS,
    *("User ID", "Backend ID", "Client IP", "Product Name", "Operation Name", "App ID", "hour", "day"),
)
"""All that envelopes know, and the spans of time that `--by` takes; operators add their own."""


def dimension_names(names: Iterable[str], own: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names as they are written everywhere, each once; those of `own` and the known ones in any case."""
    known = {name.lower(): name for name in (*own, *DIMENSION_NAMES)}
    return tuple(dict.fromkeys(known.get(name.lower(), name) for name in names))


def fit_azure(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names as they are written everywhere.

    Raises:
        ValueError: they are more than Azure Monitor takes.

    """
    if len(names) > DIMENSIONS_AT_MOST:
        raise ValueError(f"at most {DIMENSIONS_AT_MOST} dimensions, as Azure Monitor takes")
    return dimension_names(names)
