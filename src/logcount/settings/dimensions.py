"""The names of dimensions: the default ones, the known ones, and Azure's limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logcount.model.points import DIMENSIONS_AT_MOST

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_DIMENSIONS = (
    *("API ID", "Operation ID", "Product ID", "Subscription ID"),
    *("Location", "Gateway ID", "Model", "Counted By"),
)
"""The default dimensions; User ID, Backend ID and Client IP must be requested."""

DIMENSION_NAMES = (
    *DEFAULT_DIMENSIONS,
    *("User ID", "Backend ID", "Client IP", "Product Name", "Operation Name", "App ID", "hour", "day"),
)
"""All dimensions of envelopes, and the time spans of `--by`; operators add their own."""


def dimension_names(names: Iterable[str], own: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names in their standard spelling, each once; those of `own` and the known ones in any case."""
    known = {name.lower(): name for name in (*own, *DIMENSION_NAMES)}
    return tuple(dict.fromkeys(known.get(name.lower(), name) for name in names))


def fit_azure(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in their standard spelling.

    Raises:
        ValueError: there are more than Azure Monitor accepts.

    """
    if len(names) > DIMENSIONS_AT_MOST:
        raise ValueError(f"at most {DIMENSIONS_AT_MOST} dimensions, as Azure Monitor takes")
    return dimension_names(names)
