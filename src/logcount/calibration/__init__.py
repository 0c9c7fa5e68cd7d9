"""Calibration: where usage was reported and a tokenizer is known, both numbers side by side, and what that tells.

Law: a calibration changes no count. It adds up to the same however the exchanges are divided among those who add, and
its memory is bounded.
"""

from logcount.calibration.comparison import Compared, Comparison, ExchangeRef
from logcount.calibration.differences import Differences, Worst
from logcount.calibration.findings import CLEAN, MISMATCH, Finding
from logcount.calibration.table import Calibration, ModelCalibration

__all__ = [
    "CLEAN",
    "MISMATCH",
    "Calibration",
    "Compared",
    "Comparison",
    "Differences",
    "ExchangeRef",
    "Finding",
    "ModelCalibration",
    "Worst",
]
