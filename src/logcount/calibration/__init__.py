"""Calibration: compares reported usage with the tokenizer's count, and explains the differences.

Law: a calibration changes no count. Its sums do not depend on how exchanges are divided among processes. Its memory is
bounded.
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
