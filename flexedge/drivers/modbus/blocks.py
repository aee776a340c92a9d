"""Which reads fetch a set of registers at the least cost on the wire. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

REQUEST_COST_WORDS = 31
"""What one more request costs, in words of an answer: its 12 bytes, the 9 bytes that head the
answer, and one packet's 40 bytes of IP and TCP headers are 61 bytes, or about 31 words. The
answer's own packet headers are left out in favour of the device, which works for every word."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Neighbouring registers that belong together. ``alone``: never read with others."""

    table: str
    address: int
    count: int
    alone: bool = False

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.count


@dataclass(frozen=True, slots=True)
class Block:
    """One read, and the spans it is for."""

    table: str
    address: int
    count: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a device allows: most words in a read, and addresses no read may span."""

    max_block: int = 125
    never_across: tuple[int, ...] = ()


def plan(spans: Sequence[Span], rules: Rules = Rules()) -> tuple[Block, ...]:
    """The cheapest reads that cover every span once.

    A hole is read along where that is cheaper than another request. A span that breaks the rules
    by itself (too long, across a forbidden address) is read alone.
    """
    blocks: list[Block] = []
    distinct = sorted(set(spans))
    for table in sorted({span.table for span in distinct}):
        mine = [span for span in distinct if span.table == table]
        blocks += [_block([span]) for span in mine if span.alone]
        blocks += _cheapest([span for span in mine if not span.alone], rules)
    return tuple(blocks)


def _cheapest(spans: Sequence[Span], rules: Rules) -> list[Block]:
    costs = [0]
    starts: list[int] = []
    for i in range(len(spans)):
        best, best_start = costs[i] + REQUEST_COST_WORDS + spans[i].count, i
        end = spans[i].end
        for j in range(i - 1, -1, -1):
            end = max(end, spans[j].end)
            if not _allowed(spans[j].address, end, rules):
                break
            cost = costs[j] + REQUEST_COST_WORDS + end - spans[j].address
            if cost < best:
                best, best_start = cost, j
        costs.append(best)
        starts.append(best_start)
    blocks: list[Block] = []
    i = len(spans)
    while i > 0:
        start = starts[i - 1]
        blocks.append(_block(spans[start:i]))
        i = start
    return blocks[::-1]


def _allowed(start: int, end: int, rules: Rules) -> bool:
    return end - start <= rules.max_block and not any(
        start < wall < end for wall in rules.never_across
    )


def _block(spans: Sequence[Span]) -> Block:
    start = min(span.address for span in spans)
    count = max(span.end for span in spans) - start
    return Block(spans[0].table, start, count, tuple(spans))


def split(block: Block) -> tuple[Block, ...]:
    """Smaller reads for a block the device refused: first without its holes, then in halves.

    Empty when nothing is left to divide.
    """
    runs: list[list[Span]] = []
    for span in block.spans:
        if runs and span.address <= max(other.end for other in runs[-1]):
            runs[-1].append(span)
        else:
            runs.append([span])
    if len(runs) == 1:
        middle = len(block.spans) // 2
        runs = [list(block.spans[:middle]), list(block.spans[middle:])] if middle else []
    return tuple(_block(run) for run in runs)
