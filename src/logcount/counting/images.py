"""What pictures cost in tokens, by the formulas that providers publish; none is guessed.

Sources: https://platform.openai.com/docs/guides/images-vision (calculating costs),
https://docs.claude.com/en/docs/build-with-claude/vision (evaluate image size),
https://ai.google.dev/gemini-api/docs/image-understanding (token calculation).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from logcount.model.content import Picture

    Formula = Callable[[Picture], "Cost"]


class Cost(NamedTuple):
    """What pictures cost in tokens."""

    tokens: int
    exact: bool
    """Whether that is all; else it is a lower bound."""


_UNKNOWN = Cost(0, exact=False)


def picture_cost(model: str | None, pictures: Iterable[Picture | None]) -> Cost:
    """Return what all pictures of a prompt cost, None standing for one of unknown size."""
    name = (model or "").lower().rpartition("/")[2]
    formula = next((formula for pattern, formula in FORMULAS if fnmatchcase(name, pattern)), None)
    costs = [formula(picture) if formula and picture else _UNKNOWN for picture in pictures]
    return Cost(sum(cost.tokens for cost in costs), all(cost.exact for cost in costs))


def _tiles(base: int, tile: int, picture: Picture) -> Cost:
    """Count squares of 512 pixels, after the picture was made to fit 2048 and its short side 768."""
    if picture.detail != "high":
        return Cost(base, exact=picture.detail == "low")  # else the model decides
    fit = min(1.0, 2048 / max(picture.width, picture.height))
    width, height = picture.width * fit, picture.height * fit
    short = 768 / min(width, height)
    # Whether a small picture is made larger is not said.
    tiles = {ceil(width * scale / 512) * ceil(height * scale / 512) for scale in (short, min(1.0, short))}
    return Cost(base + tile * min(tiles), exact=len(tiles) == 1)


def _patches(factor: float, picture: Picture) -> Cost:
    """Count squares of 32 pixels, of which a picture may have 1536: a larger one is made smaller."""
    width, height = picture.width, picture.height
    patches = ceil(width / 32) * ceil(height / 32)
    if patches > _MOST_PATCHES:
        ratio = sqrt(32 * 32 * _MOST_PATCHES / (width * height))
        across, down = width * ratio / 32, height * ratio / 32
        fit = min(floor(across) / across, floor(down) / down)
        # Rounded first: a side that is whole but for the computer's last digit is whole.
        patches = min(ceil(round(across * fit, 6)) * ceil(round(down * fit, 6)), _MOST_PATCHES)
    tokens = round(patches * factor, 6)
    return Cost(floor(tokens), exact=tokens.is_integer())  # how the rest is rounded is not said


_MOST_PATCHES = 1536


def _area(picture: Picture) -> Cost:
    """Divide the pixels by 750; of a picture that is made smaller before, nobody says exactly how."""
    tokens = ceil(picture.width * picture.height / 750)
    kept = max(picture.width, picture.height) <= _LONGEST_EDGE and tokens <= _LARGEST_AREA
    return Cost(tokens, exact=True) if kept else _UNKNOWN


_LONGEST_EDGE = 1568
_LARGEST_AREA = 1600


def _crops(picture: Picture) -> Cost:
    """Count crops of 258 tokens: one for a small picture, else squares of two thirds of its short side."""
    if max(picture.width, picture.height) <= _SMALL:
        return Cost(258, exact=True)
    unit = min(max(floor(min(picture.width, picture.height) / 1.5), 256), 768)
    return Cost(258 * ceil(picture.width / unit) * ceil(picture.height / unit), exact=True)


_SMALL = 384

FORMULAS: tuple[tuple[str, Formula], ...] = (
    ("gpt-5-mini*", partial(_patches, 1.62)),
    ("gpt-5-nano*", partial(_patches, 2.46)),
    ("gpt-4.1-mini*", partial(_patches, 1.62)),
    ("gpt-4.1-nano*", partial(_patches, 2.46)),
    ("o4-mini*", partial(_patches, 1.72)),
    ("gpt-4o-mini*", partial(_tiles, 2833, 5667)),
    ("gpt-4o*", partial(_tiles, 85, 170)),
    ("gpt-4.1*", partial(_tiles, 85, 170)),
    ("gpt-4.5*", partial(_tiles, 85, 170)),
    ("gpt-5-chat*", partial(_tiles, 70, 140)),
    ("gpt-5", partial(_tiles, 70, 140)),
    ("gpt-5-2025*", partial(_tiles, 70, 140)),
    ("o1*", partial(_tiles, 75, 150)),
    ("o3*", partial(_tiles, 75, 150)),
    ("claude-3*", _area),
    ("claude-sonnet-4*", _area),
    ("claude-opus-4*", _area),
    ("gemini-2.*", _crops),
)
"""Shell patterns of models, without what stands before a slash → the formula; the first match counts."""
