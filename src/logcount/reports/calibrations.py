"""Reports of a calibration: a table for people, rows for JSON, lines for stderr, with causes of differences."""

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
"""The styles of verdicts on a terminal; all others are yellow."""


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


def _side(sums: Differences, finding: Finding) -> dict[str, Any]:
    return {
        "compared": sums.compared,
        "exact": sums.exact,
        "exact_share": sums.exact_share,
        "reported": sums.reported,
        "counted": sums.counted,
        "mean_error": _rounded(sums.mean),
        "mean_error_percent": _rounded(sums.mean_percent),
        "worst": _worst(sums.worst),
        "differences": [{"tokens": offset, "exchanges": number} for offset, number in sums.common(_OFFSETS_AT_MOST)],
        "verdict": finding.verdict,
        "cause": finding.cause,
        "not_compared": [{"reason": reason, "exchanges": number} for reason, number in _by_number(sums.unlike)],
    }


def _worst(worst: Worst | None) -> dict[str, Any] | None:
    if worst is None:
        return None
    document = {"difference": worst.difference, "reported": worst.reported}
    return document | {"id": worst.place.id, "source": worst.place.source, "position": worst.place.position}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _by_number(reasons: Counter[str]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))


def calibration_lines(calibration: Calibration) -> list[str]:
    """Return a line for each side of a model that is not exact, for output without a table."""
    return [
        f"calibration: {finding.verdict}: {text} (counted with {row_key[1]})"
        for row_key, row in calibration.sorted_rows()
        for finding, text, _ in _differing(row_key, row)
    ]


def print_calibration(calibration: Calibration) -> None:
    """Print the comparisons by model and side, then the differences and causes, then what was not compared and why."""
    console = make_console()
    rows = [(key, row) for key, row in calibration.sorted_rows() if key[1] and row.sides_met]
    console.print(Text("\n  calibration: what the tokenizers say, where usage was reported"))
    if rows:
        _print_sides(console, rows)
    else:
        console.print(Text("  nothing could be compared"))
    by_verdict: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for key, row in rows:
        for finding, text, number in _differing(key, row):
            by_verdict[finding.verdict].append((text, number))
    for verdict in sorted(by_verdict, key=lambda word: (word != MISMATCH, word)):
        print_reasons(console, verdict, by_verdict[verdict])
    print_reasons(console, "not compared", _not_compared(calibration))


_COLUMNS = ("", "Compared", "Exact", "Mean", "Worst", "Verdict")


def _print_sides(console: Console, rows: Sequence[tuple[tuple[str, str], ModelCalibration]]) -> None:
    """Print a line for each side, below a line with the model and its tokenizer, whose names may be long."""
    cells = [[_cells(name, sums, row.findings[name]) for name, sums in row.sides_met] for _, row in rows]
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


def _cells(name: str, sums: Differences, finding: Finding) -> tuple[str, ...]:
    share, mean, percent, worst = sums.exact_share, sums.mean, sums.mean_percent, sums.worst
    return (
        name,
        f"{sums.compared:,}",
        _UNKNOWN if share is None else _percent(share, sums.differing),
        _UNKNOWN if mean is None or worst is None else f"{mean:+,.1f}" + (f" ({percent:+.1f} %)" if percent else ""),
        _UNKNOWN if worst is None else f"{worst.difference:+,} of {worst.reported:,}",
        finding.verdict,
    )


def _percent(share: float, differing: int) -> str:
    """Return a share in percent; 100 % only if nothing differs."""
    return "100 %" if not differing else f"{min(100 * share, 99.9):.1f} %"


def _differing(key: tuple[str, str], row: ModelCalibration) -> Iterator[tuple[Finding, str, int]]:
    """Yield, for each side of a row that differs, the finding, its text and the number of exchanges."""
    model, tokenizer = key
    for name, sums in row.sides:
        finding = row.findings[name]
        if finding.verdict in {CLEAN, "not compared"} or not tokenizer:
            continue
        worst = sums.worst
        place = f"; worst {worst.difference:+,} at {worst.place.source}:{worst.place.position}" if worst else ""
        number = sums.differing or sums.unlike.total()
        yield finding, f"{model or _UNKNOWN}, {name}: {finding.cause}{place}", number


def _not_compared(calibration: Calibration) -> list[tuple[str, int]]:
    """Return each reason with its models, and the number of exchanges."""
    models: dict[str, Counter[str]] = defaultdict(Counter)
    for (model, _), row in calibration.sorted_rows():
        for reason, number in (row.prompt.unlike | row.completion.unlike).items():  # the larger number of both sides
            models[reason][model or _UNKNOWN] += number
    lines = []
    for reason, found in models.items():
        named = ", ".join(f"{model} {number:,}" for model, number in _by_number(found)[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        lines.append((f"{reason}: {named}{more}", found.total()))
    return sorted(lines, key=lambda pair: (-pair[1], pair[0]))
