"""Reports of a calibration: a table for people, rows for JSON, lines for stderr; what differs is said in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from logcount.calibration import CLEAN, MISMATCH
from logcount.reports.documents import printable
from logcount.reports.tables import make_console, print_reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from logcount.calibration import Calibration, Differences, Finding, ModelCalibration, Worst

_UNKNOWN = "-"
_OFFSETS_AT_MOST = 5
_STYLES = {CLEAN: "green", "nearly": "", "not compared": "", MISMATCH: "bold red"}
"""How verdicts stand out on a terminal; all others are yellow."""


def calibration_rows(calibration: Calibration) -> list[dict[str, Any]]:
    """Return the calibration as JSON: a row for each model and tokenizer, with both sides."""
    return [
        {
            "model": model or None,
            "tokenizer": tokenizer or None,
            "verdict": row.verdict,
            **{name: _side(differences, row.findings[name]) for name, differences in row.sides},
        }
        for (model, tokenizer), row in calibration.sorted_rows()
    ]


def _side(told: Differences, finding: Finding) -> dict[str, Any]:
    return {
        "compared": told.compared,
        "exact": told.exact,
        "exact_share": told.exact_share,
        "reported": told.reported,
        "counted": told.counted,
        "mean_error": _rounded(told.mean),
        "mean_error_percent": _rounded(told.mean_percent),
        "worst": _worst(told.worst),
        "differences": [{"tokens": offset, "exchanges": number} for offset, number in told.common(_OFFSETS_AT_MOST)],
        "verdict": finding.verdict,
        "cause": finding.cause,
        "not_compared": [{"reason": reason, "exchanges": number} for reason, number in _by_number(told.unlike)],
    }


def _worst(worst: Worst | None) -> dict[str, Any] | None:
    if worst is None:
        return None
    told = {"difference": worst.difference, "reported": worst.reported}
    return told | {"id": worst.place.id, "source": worst.place.source, "position": worst.place.position}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _by_number(reasons: Counter[str]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))


def calibration_lines(calibration: Calibration) -> list[str]:
    """Return a line for each side of a model that is not exact, where there is no table."""
    return [
        f"calibration: {finding.verdict}: {text} (counted with {row_key[1]})"
        for row_key, row in calibration.sorted_rows()
        for finding, text, _ in _told(row_key, row)
    ]


def print_calibration(calibration: Calibration) -> None:
    """Print what was compared by model and side, then what differs and why, then what was not compared and why."""
    console = make_console()
    rows = [(key, row) for key, row in calibration.sorted_rows() if key[1] and row.sides_met]
    console.print(Text("\n  calibration: what the tokenizers say, where usage was reported"))
    if rows:
        _print_sides(console, rows)
    else:
        console.print(Text("  nothing could be compared"))
    by_verdict: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for key, row in rows:
        for finding, text, number in _told(key, row):
            by_verdict[finding.verdict].append((text, number))
    for verdict in sorted(by_verdict, key=lambda word: (word != MISMATCH, word)):
        print_reasons(console, verdict, by_verdict[verdict])
    print_reasons(console, "not compared", _not_compared(calibration))


_COLUMNS = ("", "Compared", "Exact", "Mean", "Worst", "Verdict")


def _print_sides(console: Console, rows: Sequence[tuple[tuple[str, str], ModelCalibration]]) -> None:
    """Print a line for each side, under one that names the model and its tokenizer, both of which may be long."""
    cells = [[_cells(name, told, row.findings[name]) for name, told in row.sides_met] for _, row in rows]
    lines = [_COLUMNS, *(line for lines in cells for line in lines)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    console.print(Text("\n" + _aligned(_COLUMNS, widths)))
    console.print(Text("  " + "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (sum(widths) + 3 * len(widths) - 1)))
    for ((model, tokenizer), _), sides in zip(rows, cells, strict=True):
        console.print(Padding(Text(printable(f"{model or _UNKNOWN}, counted with {tokenizer}")), (0, 0, 0, 2)))
        for line in sides:
            shown = Text(_aligned(line, widths))
            shown.stylize(_STYLES.get(line[-1], "yellow"), shown.plain.rindex(line[-1]))
            console.print(shown)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "   ".join(["    " + first.strip().ljust(widths[0]), *numbers, last.strip()])


def _cells(name: str, told: Differences, finding: Finding) -> tuple[str, ...]:
    share, mean, percent, worst = told.exact_share, told.mean, told.mean_percent, told.worst
    return (
        name,
        f"{told.compared:,}",
        _UNKNOWN if share is None else _percent(share, told.differing),
        _UNKNOWN if mean is None or worst is None else f"{mean:+,.1f}" + (f" ({percent:+.1f} %)" if percent else ""),
        _UNKNOWN if worst is None else f"{worst.difference:+,} of {worst.reported:,}",
        finding.verdict,
    )


def _percent(share: float, differing: int) -> str:
    """Return a share in percent; only what is whole is said to be 100 %."""
    return "100 %" if not differing else f"{min(100 * share, 99.9):.1f} %"


def _told(key: tuple[str, str], row: ModelCalibration) -> Iterator[tuple[Finding, str, int]]:
    """Yield what is to be said of a row's sides: the finding, in words, and of how many exchanges."""
    model, tokenizer = key
    for name, told in row.sides:
        finding = row.findings[name]
        if finding.verdict in {CLEAN, "not compared"} or not tokenizer:
            continue
        worst = told.worst
        place = f"; worst {worst.difference:+,} at {worst.place.source}:{worst.place.position}" if worst else ""
        number = told.differing or told.unlike.total()
        yield finding, f"{model or _UNKNOWN}, {name}: {finding.cause}{place}", number


def _not_compared(calibration: Calibration) -> list[tuple[str, int]]:
    """Name the models beside each reason."""
    models: dict[str, Counter[str]] = defaultdict(Counter)
    for (model, _), row in calibration.sorted_rows():
        for reason, number in (row.prompt.unlike | row.completion.unlike).items():  # the greater of both sides
            models[reason][model or _UNKNOWN] += number
    lines = []
    for reason, found in models.items():
        named = ", ".join(f"{model} {number:,}" for model, number in _by_number(found)[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        lines.append((f"{reason}: {named}{more}", found.total()))
    return sorted(lines, key=lambda pair: (-pair[1], pair[0]))
