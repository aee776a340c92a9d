"""Which sources are meant: by name, type, account and version, as FlexMeasures filters them."""

from collections.abc import Mapping
from dataclasses import dataclass

from flexedge.domain.asset import Source


@dataclass(frozen=True, slots=True)
class Which:
    """Conditions that a source fulfils, all of them; None: any will do."""

    ids: frozenset[int] | None = None
    """Their numbers."""
    names: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    """FlexMeasures' source types."""
    not_kinds: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = None
    versions: frozenset[str] | None = None
    latest_version: bool = False
    """Of those with the same name, type, model and account only the newest version."""

    def admits(self, source: Source) -> bool:
        """Whether a source fulfils the conditions that concern itself alone."""
        asked = (
            (self.names, source.name),
            (self.kinds, source.kind),
            (self.accounts, source.account),
            (self.versions, source.version),
        )
        fits = all(some is None or its in some for some, its in asked)
        return fits and source.kind not in self.not_kinds


def numbers(which: Which, sources: Mapping[int, Source]) -> tuple[int, ...]:
    """The numbers of the sources that are meant, in order."""
    meant = {
        number: one
        for number, one in sources.items()
        if which.admits(one) and (which.ids is None or number in which.ids)
    }
    if which.latest_version:
        newest: dict[tuple[str | None, ...], int] = {}
        for number, one in sorted(meant.items()):
            alike = (one.name, one.kind, one.model, one.account)
            if alike not in newest or _order(one) >= _order(meant[newest[alike]]):
                newest[alike] = number
        meant = {number: meant[number] for number in newest.values()}
    return tuple(sorted(meant))


def _order(source: Source) -> tuple[tuple[int, int, str], ...]:
    """Versions in their order: "1.10" after "1.9", numbers before words, none before all."""
    parts = (source.version or "").replace("-", ".").split(".")
    return tuple(
        (1, int(part), "") if part.isdigit() else (0 if not part else 2, 0, part) for part in parts
    )


def ranks(sources: Mapping[int, Source]) -> Mapping[int, int]:
    """The place of each source's version among all of them: the newer, the higher."""
    places = {order: place for place, order in enumerate(sorted({*map(_order, sources.values())}))}
    return {number: places[_order(one)] for number, one in sources.items()}
