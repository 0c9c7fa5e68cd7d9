"""What counting asks of a model's tokenizer and chat template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Tokenizer(Protocol):
    """A model's own tokenizer and chat template; both raise `Uncountable` where they refuse an input."""

    @property
    def name(self) -> str:
        """What counts are labelled with."""
        ...

    @property
    def fingerprint(self) -> str:
        """A short hash of the tokenizer and template that really run."""
        ...

    def count(self, text: str, *, special: bool = False) -> int:
        """Return the number of tokens of a text; `special` adds those that servers put around bare texts."""
        ...

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Any] | None = None,
        open_reply: bool = True,
        options: Mapping[str, Any] = ...,
        date: datetime,
    ) -> str:
        """Return the conversation as the model is shown it; templates that ask for the date get `date`."""
        ...


TokenizerFor = Callable[[str | None], Tokenizer | None]
"""Finds the tokenizer of a model by its name; None where there is none, for a count is never guessed."""
