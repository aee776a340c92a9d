"""Fields that were edited at a centre, and what became of that: plain values, kept and shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from flexedge.config.overlay import Overlay
from flexedge.gateway.plant import Unit
from flexedge.gateway.service.inventory import fixed_fields
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry

Column = Literal["flex_model", "flex_context", "attributes"]
Fate = Literal["on trial", "in force", "refused", "taken back"]
Place = tuple[str, str, int, str, str]
"""Centre, thing, our number, column, field."""
_FACT: Final = "gateway.amendments"
_CONTEXT: Final = "flex_context"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of ours that is another one at a centre than what it was told."""

    centre: str
    thing: Literal["asset", "sensor"]
    number: int
    """Ours."""
    about: str
    """What people call it here: "battery", "battery.power"; the name of the site."""
    column: Column
    field: str
    ours: Any = None
    """As the API has it, with our numbers; None: it is not there."""
    theirs: Any = None

    @property
    def place(self) -> Place:
        """Which field it is."""
        return self.centre, self.thing, self.number, self.column, self.field

    def become(self, fate: Fate, at: AwareDatetime, why: str = "") -> "Amendment":
        """What became of it."""
        return Amendment(
            centre=self.centre, thing=self.thing, number=self.number, about=self.about,
            column=self.column, field=self.field, ours=self.ours, theirs=self.theirs,
            fate=fate, at=at, why=why,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment(Change):
    """An edit, and what became of it."""

    fate: Fate
    at: AwareDatetime
    """Since when that is so."""
    why: str = ""

    @property
    def sentence(self) -> str:
        """For people: "battery: soc-min 2 kWh instead of 1 kWh (refused: …)"."""
        why = f": {self.why}" if self.why else ""
        return f"{self.about}: {self.field} {_said(self.theirs)} instead of {_said(self.ours)} ({self.fate}{why})"  # fmt: skip  # noqa: E501


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Edits that go back by themselves unless all stays well for a while."""

    centre: str
    since: AwareDatetime
    until: AwareDatetime
    heard: AwareDatetime
    """When the centre answered last."""
    edits: tuple[Amendment, ...]
    before: tuple[Amendment, ...]
    """What was laid over the site file before."""
    well: tuple[str, ...]
    """Devices that answered when it began."""
    planned: bool
    """Whether there was a plan."""
    starts: int = 0
    """How often the program started since."""

    @property
    def silence(self) -> timedelta:
        """How long the centre may be silent."""
        return (self.until - self.since) / 2


@dataclass(frozen=True, slots=True)
class Kept:
    """All there is, as one value: on disk whole or not at all."""

    laid: tuple[Amendment, ...] = ()
    """What lies over the site file, on trial or for good."""
    trial: Trial | None = None
    told: tuple[Amendment, ...] = ()
    """What was refused or taken back, while it is still so at the centre."""

    def all(self) -> tuple[Amendment, ...]:
        """Every edit: those on trial, those in force, those that were refused or taken back."""
        trial = () if self.trial is None else self.trial.edits
        tried = {one.place for one in trial}
        return (*trial, *(one for one in self.laid if one.place not in tried), *self.told)


_KEPT: Final = TypeAdapter(Kept)


def kept(state: State) -> Kept | None:
    """What is on disk; None: it cannot be read. Raises ``StoreError``."""
    text = state.fact(_FACT)
    try:
        return Kept() if text is None else _KEPT.validate_json(text)
    except ValidationError:
        return None


def keep(state: State, some: Kept) -> None:
    """Put it on disk. Raises ``StoreError``."""
    state.remember(_FACT, _KEPT.dump_json(some).decode())


def is_laid(asset: Asset | None, change: Change) -> bool:
    """Whether a field is one that the site file defines, so that an edit lies over that."""
    return change.thing == "asset" and asset is not None and change.column in fixed_fields(asset)


def laid_with(laid: Iterable[Amendment], edit: Amendment) -> tuple[Amendment, ...]:
    """The same with one more edit, in the place of an earlier one of that field."""
    spot = edit.place[1:]
    others = tuple(one for one in laid if one.place[1:] != spot)
    return others if edit.theirs is None else (*others, edit)


def overlay(
    laid: Iterable[Amendment], assets: Mapping[int, Asset], name: Callable[[int], str | None]
) -> Overlay:
    """Edits as the site file would say them; ``name``: of one of our sensors."""
    models: dict[str, dict[str, Any]] = {}
    context: dict[str, Any] = {}
    for one in laid:
        asset, value = assets.get(one.number), named(one.theirs, name)
        if one.column == _CONTEXT:
            context[one.field] = value
        else:
            called = None if asset is None else asset.defined_as
            models.setdefault(called or one.about, {})[one.field] = value
    return Overlay(models, context)


def named(value: Any, name: Callable[[int], str | None]) -> Any:
    """A field of a flex-model or the like with names in the place of our sensors' numbers."""
    if isinstance(value, list):
        return [named(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: named(one, name) for key, one in value.items()}
    if isinstance(told.get("sensor"), int):
        told["sensor"] = name(told["sensor"]) or f"sensor {told['sensor']}"
    return told


def shown(edit: Amendment, name: Callable[[int], str | None]) -> Amendment:
    """An edit as people see it: with names of sensors."""
    return replace(edit, ours=named(edit.ours, name), theirs=named(edit.theirs, name))


def looser(before: Unit, after: Unit) -> str:
    """In what an edited asset could do more than the installer allows; empty where in nothing."""
    (low, high), (new_low, new_high) = before.range_kw, after.range_kw
    if new_low < low or new_high > high:
        return f"would let {after.name} go from {new_low:g} to {new_high:g} kW: by the site file it goes from {low:g} to {high:g} kW"  # fmt: skip  # noqa: E501
    if after.soc_min_kwh < before.soc_min_kwh:
        return f"would let {after.name} go down to {after.soc_min_kwh:g} kWh: by the site file it keeps {before.soc_min_kwh:g} kWh"  # fmt: skip  # noqa: E501
    most = before.soc_max_kwh
    if after.soc_max_kwh != most and (most is None or (after.soc_max_kwh or 0.0) > most):
        return f"would let {after.name} hold {after.soc_max_kwh:g} kWh: soc-max is up to the site file"  # fmt: skip  # noqa: E501
    if after.least_kw < before.least_kw:
        return f"would let {after.name} run with {after.least_kw:g} kW: by the site file it needs {before.least_kw:g} kW"  # fmt: skip  # noqa: E501
    return ""


def entry(edit: Amendment, now: datetime) -> Entry:
    """What the audit trail says of an edit."""
    why = f" ({edit.why})" if edit.why else ""
    return Entry(
        at=now, who=f"somebody at {edit.centre}",
        what=f"Edit of {edit.about}, {edit.field}: {edit.fate}{why}",
        before={edit.field: edit.ours}, after={edit.field: edit.theirs},
        asset_id=edit.number if edit.thing == "asset" else None,
    )  # fmt: skip


def _said(value: Any) -> str:
    return "nothing" if value is None else str(value)
