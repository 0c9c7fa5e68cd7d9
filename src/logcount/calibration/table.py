"""The calibration of a whole log: mergeable rows by model and tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logcount.calibration.differences import Differences
from logcount.calibration.findings import GRAVITY, Finding, find

if TYPE_CHECKING:
    from logcount.calibration.comparison import Comparison, ExchangeRef

MODELS_AT_MOST = 200
OTHER_MODELS = "other models"

Key = tuple[str, str]
"""Model and tokenizer, each empty if unknown."""


@dataclass(slots=True)
class ModelCalibration:
    """The calibration of one model with one tokenizer."""

    prompt: Differences = field(default_factory=Differences)
    completion: Differences = field(default_factory=Differences)

    @property
    def sides(self) -> tuple[tuple[str, Differences], ...]:
        """Both sides under their names."""
        return ("prompt", self.prompt), ("completion", self.completion)

    @property
    def sides_met(self) -> tuple[tuple[str, Differences], ...]:
        """The sides with data: an embedding model has no completion."""
        return tuple((name, sums) for name, sums in self.sides if sums.compared or sums.unlike)

    @property
    def findings(self) -> dict[str, Finding]:
        """The finding for each side."""
        return {
            "prompt": find(self.prompt, "prompt", self.completion),
            "completion": find(self.completion, "completion", self.prompt),
        }

    @property
    def verdict(self) -> str:
        """The gravest verdict of both sides."""
        return max((finding.verdict for finding in self.findings.values()), key=GRAVITY.index)

    def merge(self, other: ModelCalibration) -> None:
        """Add another row's sums."""
        self.prompt.merge(other.prompt)
        self.completion.merge(other.completion)


@dataclass(slots=True)
class Calibration:
    """Adds up comparisons by model and tokenizer.

    With very many models, those that sort first by name keep their own rows: so the rows depend only on the exchanges.
    """

    rows: dict[Key, ModelCalibration] = field(default_factory=dict)

    def add(self, comparison: Comparison, place: ExchangeRef) -> None:
        """Add one exchange, and its position."""
        row = self._row((comparison.model or "", comparison.tokenizer or ""))
        for name, side in comparison.sides:
            differences = row.prompt if name == "prompt" else row.completion
            differences.add(side, place, cached=comparison.cached)

    def merge(self, other: Calibration) -> None:
        """Add another calibration's sums."""
        for key, row in other.rows.items():
            self._row(key).merge(row)

    def sorted_rows(self) -> list[tuple[Key, ModelCalibration]]:
        """Return the rows sorted by model name, with the sum of other models at the end."""
        return sorted(self.rows.items(), key=lambda item: (item[0] == _OTHERS, item[0]))

    def _row(self, key: Key) -> ModelCalibration:
        """Return the row of a model, or the row of other models if it sorts after those that are kept."""
        row = self.rows.get(key)
        if row is not None:
            return row
        row = self.rows[key] = ModelCalibration()
        kept = [one for one in self.rows if one != _OTHERS]
        if len(kept) <= MODELS_AT_MOST:
            return row
        last = max(kept)
        others = self.rows.setdefault(_OTHERS, ModelCalibration())
        others.merge(self.rows.pop(last))
        return others if last == key else row


_OTHERS: Key = (OTHER_MODELS, "")
