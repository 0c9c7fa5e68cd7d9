"""The calibration of a whole log: rows by model and tokenizer, which merge."""

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
"""Model and tokenizer, each empty where it is unknown."""


@dataclass(slots=True)
class ModelCalibration:
    """What calibration found of one model with one tokenizer."""

    prompt: Differences = field(default_factory=Differences)
    completion: Differences = field(default_factory=Differences)

    @property
    def sides(self) -> tuple[tuple[str, Differences], ...]:
        """Both sides under their names."""
        return ("prompt", self.prompt), ("completion", self.completion)

    @property
    def sides_met(self) -> tuple[tuple[str, Differences], ...]:
        """Those sides of which there was anything to add: what makes embeddings has no completion."""
        return tuple((name, told) for name, told in self.sides if told.compared or told.unlike)

    @property
    def findings(self) -> dict[str, Finding]:
        """What is found of each side."""
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

    Of very many models, those that come first by name are kept apart: so what is kept depends on the exchanges alone.
    """

    rows: dict[Key, ModelCalibration] = field(default_factory=dict)

    def add(self, comparison: Comparison, place: ExchangeRef) -> None:
        """Add one exchange, and where it stands."""
        row = self._row((comparison.model or "", comparison.tokenizer or ""))
        for name, side in comparison.sides:
            differences = row.prompt if name == "prompt" else row.completion
            differences.add(side, place, cached=comparison.cached)

    def merge(self, other: Calibration) -> None:
        """Add another calibration's sums."""
        for key, row in other.rows.items():
            self._row(key).merge(row)

    def sorted_rows(self) -> list[tuple[Key, ModelCalibration]]:
        """Return the rows by the names of their models, the sum of other models at the end."""
        return sorted(self.rows.items(), key=lambda item: (item[0] == _OTHERS, item[0]))

    def _row(self, key: Key) -> ModelCalibration:
        """Return the row of a model, or that of all others where the model comes after those that are kept."""
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
