"""The lines of a benchmark, and their table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One figure: subject, what is measured, value and unit, number of measurements, ratio to the floor, target."""

    group: str
    subject: str
    what: str
    value: float
    unit: str
    n: str
    ratio: float | None = None
    """The ratio to the floor of the same round; the median over the rounds."""
    target: float | None = None
    """The most that `value` may be, or `ratio` if `of_ratio`."""
    of_ratio: bool = False

    @property
    def passed(self) -> bool | None:
        """Whether the target is met; None without a target."""
        measured = self.ratio if self.of_ratio else self.value
        return None if self.target is None or measured is None else measured <= self.target

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for `--json`."""
        return {**asdict(self), "passed": self.passed}


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a text table, in their order."""
    rows = [("group", "what", "subject", "value", "unit", "× floor", "n", "target", "")]
    for line in lines:
        target = "" if line.target is None else f"≤ {_number(line.target)}{' × floor' if line.of_ratio else ''}"
        verdict = {None: "", True: "pass", False: "MISS"}[line.passed]
        ratio = "" if line.ratio is None else _number(line.ratio)
        rows.append(
            (line.group, line.what, line.subject, _number(line.value), line.unit, ratio, line.n, target, verdict)
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = (3, 5)
    text, last = [], ""
    for number, row in enumerate(rows):
        if number and row[0] != last:
            text.append("")
        last = row[0]
        cells = [
            cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def _number(value: float) -> str:
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}"
