"""A gateway's state, and a flexedge that serves as its centre over real HTTP."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Key, KeyFile, Keys
from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.domain.asset import Sensor
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.linking import Asked, Office, Progress, link
from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from tests.api.served import PASSWORD, USER, Served

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
_NAMES = itertools.count(1)
KEYS = [Key(USER, PASSWORD)]
MANY = CentreRules(requests_per_min=10_000)


@dataclass
class Here:
    """Our side: a state of its own, in a folder, with a site of a name of its own."""

    folder: Path
    rules: CentreRules = MANY
    kinds: dict[int, frozenset[str]] = field(default_factory=dict)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.state = State(self.folder / "state.db")
        self.state.accounts.add(Account("Home"))
        self.name = f"Home {next(_NAMES)}"
        self.site = self.state.assets.add(
            Asset(self.name, "building", None, 1, "", latitude=52.37, longitude=4.9)
        )
        self.battery = self.asset("battery", "battery", self.site)
        self.power = self.sensor(self.battery, "power")
        self.soc = self.sensor(self.battery, "soc", "kWh", timedelta(0))
        self.price = self.sensor(self.site, "import", "EUR/MWh")
        self.change(
            self.battery,
            flex_model={
                "soc-min": "1 kWh",
                "soc-max": "10 kWh",
                "consumption": {"sensor": self.power},
            },
            sensors_to_show=[{"title": "Power", "sensors": [self.power]}],
        )
        self.change(self.site, flex_context={"consumption-price": {"sensor": self.price}})

    def asset(self, name: str, kind: str, parent: int | None) -> int:
        """A new asset that the site file defines."""
        return self.state.assets.add(Asset(name, kind, parent, 1, name))

    def change(self, number: int, **fields: Any) -> None:
        """Other fields of an asset."""
        asset = self.state.assets.get(number)
        assert asset is not None
        self.state.assets.change(number, replace(asset, **fields))

    def sensor(
        self, asset: int, name: str, unit: str = "kW", step: timedelta = QUARTER
    ) -> int:  # fmt: skip
        """A new sensor."""
        number = self.state.sensor_id(Sensor(f"{asset}.{name}", unit, step))
        attributes = {"consumption_is_positive": True} if unit == "kW" else {}
        self.state.placed.place(number, asset, name, "Europe/Amsterdam", attributes)
        return number

    def office(self) -> Office:
        """What linking needs."""

        def reach(name: str, url: str, keys: Keys, rules: CentreRules) -> Central:
            del rules
            return Central(name, url, keys, lambda: self.now, Pace(10_000, Random(1)))  # noqa: S311

        return Office(
            self.state, lambda name: KeyFile(self.folder, name, None), lambda _: self.rules,
            lambda: self.now, reach, lambda: self.kinds,
        )  # fmt: skip

    def asked(self, url: str, **more: Any) -> Asked:
        """With the user's token: no password has to be hashed."""
        return Asked(url, **{"key": KEYS[0], **more})

    def link(self, url: str, **more: Any) -> list[Progress]:
        """Link until nothing is left; what each call told."""
        return until_done(self.office(), self.asked(url, **more))

    def links(self) -> Mapping[tuple[str, int, str], int]:
        """Numbers there, by thing, our number and role."""
        return {
            (one.thing, one.local_id, one.role): one.central_id
            for one in self.state.links.all().values()
        }


def linked_with(here: Here, url: str, rules: CentreRules = MANY) -> Linked:
    """The first centre we are linked with, as duties get it; reached under a URL."""
    number, centre = next(iter(here.state.centres.all().items()))
    central = here.office().reach("main", url, KeyFile(here.folder, "main", None), rules)
    return Linked(number, centre, rules, central)


def until_done(office: Office, asked: Asked) -> list[Progress]:
    """Call it as often as it wants; 40 times are too many."""
    told = []
    for _ in range(40):
        told.append(link(office, asked, "anna"))
        asked = replace(asked, key=None)
        if not told[-1].left or told[-1].undecided:
            return told
    raise AssertionError(told[-1])


@dataclass
class There:
    """The centre, as somebody who looks at it over its API."""

    served: Served

    def __post_init__(self) -> None:
        self.url = self.served.url
        self._token = self.served.token()
        KEYS[:] = [Key(USER, token=self._token)]

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request under /api/v3_0; its answer, which must be good."""
        answer = self.served.ask(method, path, self._token, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def named(self, name: str) -> list[dict[str, Any]]:
        """The assets with that name."""
        return [one for one in self.ask("GET", "/assets") if one["name"] == name]

    def tree(self, name: str) -> dict[str, list[str]]:
        """Names of sensors by the path of their asset, below an asset at the top."""
        assets = {one["id"]: one for one in self.ask("GET", "/assets")}
        (root,) = [
            one for one in assets.values() if one["name"] == name and not one["parent_asset_id"]
        ]  # fmt: skip
        found: dict[str, list[str]] = {}

        def walk(one: dict[str, Any], path: str) -> None:
            found[path] = sorted(each["name"] for each in one["sensors"])
            for child in sorted(one["child_assets"], key=lambda each: str(each["name"])):
                walk(assets[child["id"]], f"{path}/{child['name']}")

        walk(root, "")
        return found

    def add_asset(self, name: str, parent: int | None = None, **more: Any) -> int:
        """An asset that somebody made there."""
        body = {"name": name, "account_id": 1, "generic_asset_type_id": 1, **more}
        if parent is not None:
            body["parent_asset_id"] = parent
        return int(self.ask("POST", "/assets", json=body)["id"])

    def add_sensor(self, asset: int, name: str, unit: str = "kW", **more: Any) -> int:
        """A sensor that somebody made there."""
        body = {"name": name, "unit": unit, "event_resolution": "PT15M", "generic_asset_id": asset}
        return int(self.ask("POST", "/sensors", json={**body, **more})["id"])


@contextmanager
def centre(folder: Path) -> Iterator[There]:
    """A centre that runs."""
    with Served(folder).people() as served:
        yield There(served)


def told_of(progress: Sequence[Progress]) -> list[str]:
    """All that was done."""
    return [one for each in progress for one in each.done]
