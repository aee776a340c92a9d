"""What differs at a centre from what it showed when it was told last: edits of its admin pages.

``sent`` keeps what that was, with the links.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, get_args

from flexedge.config.centre import Accepted
from flexedge.config.editable import OURS
from flexedge.domain.units import parse_unit
from flexedge.gateway.amended import Amendment, Change, Column
from flexedge.gateway.service.references import Kind, followed
from flexedge.gateway.sync.sent import sent_of
from flexedge.store.tables.centres import Link

_COLUMNS: Final[tuple[Column, ...]] = get_args(Column)
_ATTRIBUTES: Final = "attributes"
_SENT, _OURS = "sent", "ours"
"""What the centre showed when it was told last, and what we had then, in the details of a link."""
_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a centre's numbers are here."""

    assets: Mapping[int, int]
    sensors: Mapping[int, int]

    @classmethod
    def of(cls, links: Iterable[Link]) -> "Numbers":
        """From the links with one centre."""
        assets: dict[int, int] = {}
        sensors: dict[int, int] = {}
        for one in links:
            (assets if one.thing == "asset" else sensors)[one.central_id] = one.local_id
        return cls(assets, sensors)

    def ours(self, value: Any) -> tuple[Any, str]:
        """A field with our numbers; and which of theirs is none of ours, in words, or nothing."""
        unknown = list[str]()

        def follow(kind: Kind, number: int) -> int:
            found = (self.assets if kind == "asset" else self.sensors).get(number)
            if found is None:
                unknown.append(f"{kind} {number} of the centre is none of this gateway's")
            return -1 if found is None else found

        found = followed({"field": value}, follow).get("field")
        return found, "; ".join(unknown)


@dataclass(frozen=True, slots=True)
class Seen:
    """One of our things as it is at a centre, beside what it is here."""

    centre: str
    link: Link
    about: str
    """What people call it here."""
    here: Mapping[Column, Json]
    """Its fields now, with our numbers; columns that it does not have are left out."""
    there: Json
    """As the centre answered, JSON fields as values."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs: what may take effect, and what may not with the reason."""

    changes: tuple[Change, ...] = ()
    refused: tuple[tuple[Change, str], ...] = ()
    alike: Json = field(default_factory=dict)
    """What is there as it is here by now, by path (None: gone): it counts as told."""


def difference(seen: Seen, numbers: Numbers, accepted: Accepted) -> Difference:
    """What somebody edited of a thing. What is here as it is there by now is no difference."""
    changes: list[Change] = []
    refused: list[tuple[Change, str]] = []
    alike: dict[str, Any] = {}
    for column, key, raw in _edited(seen, accepted):
        mine = seen.here[column].get(key)
        value, unknown = (raw, "") if column == _ATTRIBUTES else numbers.ours(raw)
        same = value == mine or (column != _ATTRIBUTES and _plain(value) == _plain(mine))
        if same:
            alike[f"{column}.{key}"] = raw
            continue
        change = Change(
            centre=seen.centre, thing="asset" if seen.link.thing == "asset" else "sensor",
            number=seen.link.local_id, about=seen.about, column=column, field=key,
            ours=mine, theirs=raw if unknown else value,
        )  # fmt: skip
        why = _unwanted(column, key, accepted) or unknown
        if why:
            refused.append((change, why))
        else:
            changes.append(change)
    return Difference(tuple(changes), tuple(refused), alike)


def _edited(seen: Seen, accepted: Accepted) -> Iterator[tuple[Column, str, Any]]:
    """Fields that are not what the centre showed then, as they are there now (None: gone)."""
    sent = sent_of(seen.link)
    if not sent:
        return
    for column in _COLUMNS:
        there = seen.there.get(column)
        if column not in seen.here or not isinstance(there, dict):
            continue
        start = f"{column}."
        told = {path.removeprefix(start): one for path, one in sent.items()
                if path.startswith(start)}  # fmt: skip
        for key in sorted(told.keys() | there.keys()):
            if there.get(key) != told.get(key) and _is_ours(column, key, told, accepted):
                yield column, key, there.get(key)


def _is_ours(column: Column, key: str, told: Json, accepted: Accepted) -> bool:
    """Whether a field is any of our business: others may have attributes of their own there."""
    if column != _ATTRIBUTES:
        return True
    return key not in OURS and (key in told or key in accepted.attributes)


def _unwanted(column: Column, key: str, accepted: Accepted) -> str:
    """Why a field is not taken from the centre, whatever its value; empty where it is."""
    where, fields = {
        "flex_model": ("flex-model", accepted.flex_model),
        "flex_context": ("flex-context", accepted.flex_context),
        "attributes": (_ATTRIBUTES, accepted.attributes),
    }[column]
    if key in fields:
        return ""
    return f"the site file does not accept it from this centre: add it to accept, {where}"


def _plain(value: Any) -> Any:
    """A field of a flex-model so that what means the same is the same: "3 kWh" and "3000.0 Wh"."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    try:
        unit = parse_unit(found[2])
    except ValueError:
        return value
    return unit.dimension, unit.currency, f"{float(found[1]) * unit.factor:.12g}"


def told(link: Link, alike: Json, ours: Json) -> Link:
    """The link when the centre shows these settings as they are here, though written otherwise.

    ``ours``: as they would be sent now, by path.
    """
    known = ((_SENT, alike), (_OURS, {path: ours.get(path) for path in alike}))
    details = dict(link.details)
    for name, settings in known:
        whole = {**(details.get(name) or {}), **settings}
        details[name] = {path: value for path, value in whole.items() if value is not None}
    return replace(link, details=details)


def refusals(some: Iterable[Difference], now: datetime) -> list[Amendment]:
    """What may not take effect, as amendments."""
    return [change.become("refused", now, why) for one in some for change, why in one.refused]
