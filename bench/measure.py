"""Two ways to do the same work, measured in turn, and the line that comes of it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

Measure = Callable[[], float]
_WIDTHS = (66, 21, 43, 22)
_ENOUGH = 4  # figures to tell quartiles from


@dataclass(frozen=True, slots=True)
class Bound:
    """What a ratio should stay below, or above. A limit is promised; a goal is what we aim at."""

    kind: str
    most: float = math.inf
    least: float = -math.inf

    def told(self, ratio: float) -> str:
        """The bound in words, and whether it is kept."""
        kept = self.least <= ratio <= self.most
        words = f"≥ {self.least:g}" if self.least > -math.inf else f"≤ {self.most:g}"
        return f"{self.kind} {words}: {'kept' if kept else 'MISSED'}"


def goal(*, most: float = math.inf, least: float = -math.inf) -> Bound:
    """Something we aim at."""
    return Bound("goal", most, least)


def limit(*, most: float = math.inf, least: float = -math.inf) -> Bound:
    """Something that is promised."""
    return Bound("limit", most, least)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured, ours and the other's figures round by round, and the bound."""

    what: str
    unit: str
    ours: Sequence[float]
    other: Sequence[float]
    other_name: str
    bound: Bound | None = None

    @property
    def ratio(self) -> float:
        """Ours over the other's: the median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """Ours over the other's, round by round."""
        return [a / b for a, b in zip(self.ours, self.other, strict=True)]

    @property
    def missed(self) -> bool:
        """Whether a limit (not a goal) is missed."""
        bound = self.bound
        if bound is None or bound.kind != "limit":
            return False
        return not bound.least <= self.ratio <= bound.most

    def text(self) -> str:
        """The line as it is printed."""
        low, high = spread(self.ratios)
        range_ = f" ({low:.3g}-{high:.3g})" if low < high else ""
        cells = (
            self.what,
            _figure(self.ours, self.unit),
            f"{_figure(self.other, self.unit)} {self.other_name}",
            f"{self.ratio:.3g}{range_}",
            self.bound.told(self.ratio) if self.bound else "",
        )
        return table_line(cells)


def table_line(cells: Sequence[str]) -> str:
    """Cells side by side; the last one as long as it likes."""
    aligned = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return "  ".join([*aligned, *cells[len(_WIDTHS) :]]).rstrip()


def _figure(values: Sequence[float], unit: str) -> str:
    low, high = spread(values)
    range_ = f" ±{_plain((high - low) / 2)}" if low < high else ""
    return f"{_plain(median(values))}{range_} {unit}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The quartiles; of a few figures the least and the most."""
    if len(values) < _ENOUGH:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4)
    return low, high


def in_turn(ours: Measure, other: Measure, rounds: int) -> tuple[list[float], list[float]]:
    """Ours, the other, ours, the other: whatever else the machine does hits both."""
    figures: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        figures[0].append(ours())
        figures[1].append(other())
    return figures


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, in wall time."""
    began = perf_counter()
    work()
    return perf_counter() - began


def resident_mb(pid: int) -> float:
    """The resident memory of a process, in MB of a million bytes (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError(pid)


def machine() -> Iterator[str]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    models = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in models if line.startswith("model name")]
    yield f"{len(names)} x {names[0]}" if names else "an unknown processor"
    load = Path("/proc/loadavg")
    if load.exists():
        yield f"load before the start {load.read_text(encoding='ascii').split()[0]}"
