"""A whole gateway that is linked with a ``flexedge serve``, by real HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from flexedge.cloud.central import Central
from flexedge.cloud.keys import Key, KeyFile
from flexedge.cloud.pace import Pace
from flexedge.config.centre import Accepted, CentreRules
from flexedge.gateway.sync.duty import Duty, Linked
from flexedge.gateway.sync.linking import Asked, Office, centre_named, link
from flexedge.gateway.sync.upkeep import Upkeep
from tests.api.served import PASSWORD, USER, Served
from tests.gateway.conftest import World

SECOND = timedelta(seconds=1)
RULES = CentreRules(requests_per_min=10_000)


@dataclass
class Pair:
    """The gateway, the centre, and what one is to the other."""

    world: World
    served: Served
    linked: Linked
    office: Office

    @property
    def central(self) -> Central:
        return self.linked.central

    def accept(self, **accepted: Any) -> None:
        """From now on the site file accepts this."""
        rules = self.linked.rules.model_copy(update={"accept": Accepted(**accepted)})
        self.linked = replace(self.linked, rules=rules)

    def number(self, asset: str) -> int:
        """The number at the centre of an asset, as the site file calls it."""
        state = self.world.gateway.state
        local = next(n for n, one in state.assets.all().items() if one.defined_as == asset)
        links = state.links.find(centre_id=self.linked.number, thing="asset", local_id=local)
        return next(iter(links.values())).central_id

    def there(self, asset: str) -> Mapping[str, Any]:
        """What the centre has of an asset."""
        return self.central.asset(self.number(asset))

    def edit(self, asset: str, column: str, **fields: Any) -> None:
        """Somebody edits fields at the centre (None: takes them away)."""
        kept = {**self.there(asset)[column], **fields}
        whole = {key: value for key, value in kept.items() if value is not None}
        self.central.change_asset(self.number(asset), {column: whole})

    def settle(self) -> None:
        """Let what changed here be sent, as it is once a minute."""
        upkeep = Upkeep(self.office, self.world.gateway.health)
        for _ in range(20):
            if upkeep.step(self.linked, self.world.now) > self.world.now:
                return
        raise AssertionError("it never ends")

    def leave(self) -> None:
        """Take everything away that is at the centre."""
        self.central.delete_asset(self.number(""))

    def turn(self, duty: Duty) -> datetime:
        """Let a duty do all that is due now; when it wants to come again."""
        for _ in range(50):
            due = duty.step(self.linked, self.world.now)
            if due > self.world.now:
                return due
        raise AssertionError("it never ends")


def pair(world: World, served: Served, folder: Path, name: str = "main") -> Pair:
    """Link a gateway with what is served."""
    clock = _Clock(world.now)
    office = Office(
        world.gateway.state,
        lambda one: KeyFile(folder, one, None),
        lambda _one: RULES,
        lambda: world.now,
        lambda one, url, keys, rules: Central(
            one,
            url,
            keys,
            clock,
            Pace(rules.requests_per_min, Random(1)),  # noqa: S311
        ),
    )
    asked = Asked(served.url, Key(USER, PASSWORD), name, same_name="beside")
    while (made := link(office, asked, "a test")).left:
        assert not made.undecided
        asked = Asked(served.url, None, name, same_name="beside")
    found = centre_named(world.gateway.state, name)
    assert found is not None
    number, centre = found
    central = office.reach(name, centre.url, office.keys(name), RULES)
    return Pair(world, served, Linked(number, centre, RULES, central), office)


class _Clock:
    """A second later whenever it is asked: nothing is paced for long."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self) -> datetime:
        self._now += SECOND
        return self._now
