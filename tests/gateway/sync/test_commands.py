"""A centre's commands by real HTTP: carried out at most once, in time, and if nobody objects."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import StoreError
from flexedge.gateway.support import Support
from flexedge.gateway.sync.carry import Site
from flexedge.gateway.sync.commands import Commands
from flexedge.gateway.sync.orders import Result, keep, results
from flexedge.gateway.sync.veto import say
from tests.api.served import Served
from tests.gateway.conftest import Hut
from tests.gateway.sync.pairing import Pair, pair

HOUR = timedelta(hours=1)
Asked = Callable[[Pair, str], dict[str, Any]]
ALL = ("override", "limit", "polling", "bundle")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("centre")).people() as centre:
        yield centre


@pytest.fixture
def two(hut: Hut, served: Served, tmp_path: Path) -> Iterator[Pair]:
    world = hut("battery", "house")
    made = pair(world, served, tmp_path)
    made.accept(commands=ALL)
    yield made
    made.leave()


class Desk:
    """The duty, and what it was asked to restart."""

    def __init__(self, two: Pair, folder: Path) -> None:
        gateway = two.world.gateway
        self.two = two
        self.restarted: list[str] = []
        site = Site(
            gateway.overrides, Support(folder, gateway), self.restarted.append,
            gateway.plant.site.devices,
        )  # fmt: skip
        self.duty = Commands(gateway.state, gateway.health, site)

    def give(self, *commands: dict[str, Any]) -> None:
        """Somebody writes commands at the centre."""
        self.two.edit("", "attributes", **{"flexedge-commands": list(commands)})

    def told(self) -> list[tuple[str, str, str]]:
        """What the centre shows after the duty was there."""
        self.two.turn(self.duty)
        shown = self.two.there("")["attributes"].get("flexedge-results", [])
        return [(one["id"], one["result"], one["why"]) for one in shown]


@pytest.fixture
def desk(two: Pair, tmp_path: Path) -> Desk:
    return Desk(two, tmp_path)


def override(two: Pair, number: str = "1", **fields: Any) -> dict[str, Any]:
    now = two.world.now
    known = {
        "id": number, "command": "override", "at": now.isoformat(), "by": "Jane",
        "asset": "battery", "action": "charge", "power": "2 kW",
        "until": (now + HOUR).isoformat(),
    }  # fmt: skip
    return {key: value for key, value in (known | fields).items() if value is not None}


def limit(two: Pair, number: str = "1", **fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"command": "limit", "action": None, "power": None,
                             "most_consumption": "1 kW"}  # fmt: skip
    return override(two, number, **known | fields)


def plain(two: Pair, number: str, command: str, **fields: Any) -> dict[str, Any]:
    now = two.world.now
    return {"id": number, "command": command, "at": now.isoformat(),
            "expires": (now + HOUR).isoformat(), **fields}  # fmt: skip


def test_an_override_is_carried_out_once_and_told(desk: Desk) -> None:
    two = desk.two
    desk.give(override(two))
    assert desk.told() == [("1", "done", "battery is overridden")]
    (made,) = two.world.gateway.overrides.overrides(two.world.now)
    assert (made.power_kw, made.who, made.until) == (2.0, "Jane at main", two.world.now + HOUR)
    two.world.gateway.overrides.end(made.number, two.world.now)
    assert desk.told() == [("1", "done", "battery is overridden")]
    assert two.world.gateway.overrides.overrides(two.world.now) == ()
    entries = [one for one in two.world.gateway.state.audit.newest() if "Command" in one.what]
    assert [(one.who, one.what) for one in entries] == [
        ("Jane at main", "Command 1, override: done (battery is overridden)")
    ]


def test_a_limit_is_drawn_and_taken_back(desk: Desk) -> None:
    two = desk.two
    ending = plain(two, "2", "limit", ends="1")
    desk.give(limit(two), limit(two, "3", asset=None, most_consumption=None,
                                most_production="3 kW"))  # fmt: skip
    assert [one[:2] for one in desk.told()] == [("1", "done"), ("3", "done")]
    battery = two.world.unit("battery")
    assert two.world.gateway.overrides.range_kw(battery, two.world.now) == (-5.0, 1.0)
    assert two.world.gateway.overrides.site(two.world.now)[1] == 3.0
    desk.give(ending, plain(two, "4", "override", ends="9"))
    assert desk.told()[2:] == [
        ("2", "done", "taken back"),
        ("4", "refused", "Nothing was made by a command '9'."),
    ]
    assert two.world.gateway.overrides.range_kw(battery, two.world.now) == (-5.0, 5.0)


def test_polling_begins_anew_and_a_bundle_stays_on_site(desk: Desk, tmp_path: Path) -> None:
    two = desk.two
    desk.give(plain(two, "1", "polling", device="hybrid"), plain(two, "2", "polling", device="x"),
              plain(two, "3", "bundle"), plain(two, "4", "bundle"))  # fmt: skip
    told = desk.told()
    assert desk.restarted == ["hybrid"]
    assert told[0] == ("1", "done", "hybrid is asked anew")
    assert told[1] == ("2", "refused", "There is no device 'x'; known: hybrid, meter.")
    (path,) = (tmp_path / "bundles").iterdir()
    assert told[2] == ("3", "done", f"{path} is on the gateway")
    assert "less than an hour ago" in told[3][2]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"at": "2020-01-01T00:00:00+00:00"}, "It is older than the link with this gateway."),
        ({"at": "2027-01-01T00:00:00+00:00"}, "It is of a time to come"),
        ({"until": "2026-04-14T10:04:00+00:00"}, "It has expired."),
        ({"expires": "2026-04-14T10:04:00+00:00"}, "It has expired."),
        ({"until": "2026-05-14T10:04:00+00:00"}, "It should expire within 7 days."),
        ({"until": None}, "until: Field required"),
        ({"power": "20 kW"}, "battery can charge at most 5 kW, not with 20 kW."),
        ({"power": "2 kWh"}, "power: '2 kWh' is energy, but this is power"),
        ({"asset": "boat"}, "There is no asset 'boat'"),
        ({"why": "x" * 300}, "why: "),
        ({"extra": 1}, "extra: "),
        ({"command": "reboot"}, "command should be one of override, limit, polling, bundle"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(desk: Desk, fields: dict[str, Any], told: str) -> None:
    desk.give(override(desk.two, **fields))
    ((_, fate, why),) = desk.told()
    assert (fate, told in why) == ("refused", True), why
    assert desk.two.world.gateway.overrides.overrides(desk.two.world.now) == ()


def test_what_the_site_file_does_not_accept_is_refused(desk: Desk) -> None:
    desk.two.accept(commands=("limit",))
    desk.give(override(desk.two), limit(desk.two, "2"))
    told = desk.told()
    assert told[0] == (
        "1",
        "refused",
        "The site file does not accept override from main: add it to accept, commands.",
    )
    assert told[1][1] == "done"


def test_who_is_on_site_goes_first(desk: Desk) -> None:
    two = desk.two
    overrides, now = two.world.gateway.overrides, two.world.now
    overrides.ask(("battery", "idle", None), now + HOUR, "Ann", "", now)
    desk.give(override(two))
    ((_, fate, why),) = desk.told()
    assert (fate, "Ann has overridden battery until" in why) == ("refused", True)
    (held,) = overrides.overrides(now)
    assert held.who == "Ann"


def test_a_centre_may_change_its_mind(desk: Desk) -> None:
    desk.give(override(desk.two), override(desk.two, "2", by="Joe", power="3 kW"))
    assert [one[1] for one in desk.told()] == ["done", "done"]
    (held,) = desk.two.world.gateway.overrides.overrides(desk.two.world.now)
    assert (held.power_kw, held.who) == (3.0, "Joe at main")


def test_a_veto_ends_what_a_centre_asked_for_and_refuses_the_rest_for_good(desk: Desk) -> None:
    two, gateway = desk.two, desk.two.world.gateway
    desk.give(override(two), limit(two, "2"))
    desk.told()
    overrides, now = gateway.overrides, two.world.now
    mine, _ = overrides.ask(("battery", "idle", None), now + HOUR, "Ann", "", now)
    assert say(gateway, "Ann", now, on=True)
    assert overrides.overrides(now) == (mine,)
    assert overrides.limits(now) == ()
    desk.give(override(two, "3"))
    assert desk.told()[-1] == ("3", "refused", "Ann on site vetoes what centres ask for.")
    assert say(gateway, "Ann", now, on=False)
    overrides.end(mine.number, now)
    assert desk.told()[-1][1] == "refused"
    assert overrides.overrides(now) == ()


def test_nothing_is_done_while_nobody_knows_the_time(desk: Desk) -> None:
    desk.two.world.gateway.health.time_known = False
    desk.give(override(desk.two))
    assert desk.told() == []
    desk.two.world.gateway.health.time_known = True
    assert [one[1] for one in desk.told()] == ["done"]


def test_a_kill_in_the_middle_leaves_it_undone_for_good(desk: Desk) -> None:
    two = desk.two
    now = two.world.now
    begun = Result(id="1", command="override", fate="begun", why="", at=now, forget=now + HOUR)
    keep(two.world.gateway.state, "main", (begun,))
    desk.give(override(two))
    ((_, fate, why),) = desk.told()
    assert (fate, why.startswith("flexedge stopped in the middle of it")) == ("failed", True)
    assert two.world.gateway.overrides.overrides(now) == ()
    (entry,) = two.world.gateway.state.audit.newest(1)
    assert entry.what.startswith("Command 1, override: failed (flexedge stopped in the middle")


@pytest.mark.parametrize("asked", [override, limit])
def test_a_kill_right_after_it_was_done_is_found_out(desk: Desk, asked: Asked) -> None:
    two = desk.two
    desk.give(asked(two, "1"), asked(two, "2"))
    desk.told()
    done = results(two.world.gateway.state, "main") or ()
    begun = replace(done[-1], fate="begun", why="", number=None)
    keep(two.world.gateway.state, "main", (*done[:-1], begun))  # as it was before the kill
    assert desk.told()[-1] == ("2", "done", "flexedge stopped right after it")
    assert results(two.world.gateway.state, "main") == (
        *done[:-1], replace(done[-1], why="flexedge stopped right after it")
    )  # fmt: skip
    ends = [plain(two, f"9{n}", "override", ends=n) for n in "12"]
    desk.give(asked(two, "1"), asked(two, "2"), *ends)
    desk.told()
    overrides, now = two.world.gateway.overrides, two.world.now
    assert (overrides.overrides(now), overrides.limits(now)) == ((), ())


@pytest.mark.parametrize("kept", ["[]", "{"])
def test_a_veto_ends_also_what_is_not_kept_as_done(desk: Desk, kept: str) -> None:
    two, gateway = desk.two, desk.two.world.gateway
    desk.give(override(two), limit(two, "2"))
    desk.told()
    gateway.state.remember("gateway.commands.main", kept)
    say(gateway, "Ann", two.world.now, on=True)
    assert gateway.overrides.overrides(two.world.now) == ()
    assert gateway.overrides.limits(two.world.now) == ()


def test_what_a_centre_asked_for_ends_with_the_link_not_with_the_run(desk: Desk) -> None:
    two, gateway = desk.two, desk.two.world.gateway
    overrides, now = gateway.overrides, two.world.now
    mine = overrides.tighten(None, (None, 5.0), now + HOUR, "Ann", "", now)
    desk.give(override(two), limit(two, "2"))
    desk.told()
    desk.duty.end(two.linked)
    assert (len(overrides.overrides(now)), len(overrides.limits(now))) == (1, 2)
    desk.duty.end(replace(two.linked, number=99))  # which is linked no more
    assert (overrides.overrides(now), overrides.limits(now)) == ((), (mine,))


def test_it_is_noted_before_it_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    two = desk.two
    noted: list[Result] = []

    def refuse(*_of: object) -> None:
        noted.extend(results(two.world.gateway.state, "main") or ())
        raise StoreError("the disk is full")

    monkeypatch.setattr(two.world.gateway.overrides, "_put", refuse)
    desk.give(override(two))
    assert desk.told() == [("1", "failed", "the disk is full")]
    assert [(one.id, one.fate) for one in noted] == [("1", "begun")]


def test_what_cannot_be_read_is_not_done_twice(desk: Desk) -> None:
    desk.give(override(desk.two))
    desk.two.world.gateway.state.remember("gateway.commands.main", "{")
    ((_, fate, why),) = desk.told()
    assert (fate, "cannot be read" in why) == ("failed", True)
    assert desk.two.world.gateway.overrides.overrides(desk.two.world.now) == ()


def test_ids_are_forgotten_when_they_have_expired_and_are_off_the_list(desk: Desk) -> None:
    two, state = desk.two, desk.two.world.gateway.state
    desk.give(override(two))
    desk.told()
    two.world.now += timedelta(hours=4)
    desk.told()
    assert [one.id for one in results(state, "main") or ()] == ["1"]
    desk.give()
    desk.told()
    assert results(state, "main") == ()


def test_a_clock_that_is_set_back_brings_no_command_back(desk: Desk) -> None:
    two, overrides = desk.two, desk.two.world.gateway.overrides
    command, given = override(two), two.world.now
    desk.give(command)
    desk.told()
    (made,) = overrides.overrides(two.world.now)
    overrides.end(made.number, two.world.now)
    desk.give()
    two.world.now = given + timedelta(hours=2)  # the clock was an hour ahead and more
    desk.told()
    two.world.now = given + timedelta(minutes=30)
    desk.give(command)  # an answer that comes late, or a list that is put back
    desk.told()
    assert overrides.overrides(two.world.now) == ()


def test_what_is_no_list_of_commands_does_no_harm(desk: Desk) -> None:
    some: list[Any] = ["charge!", {"id": "1"}, [1, "two", None], [[]]]
    for odd in some:
        desk.two.edit("", "attributes", **{"flexedge-commands": odd})
        assert desk.told() == []
    desk.give({"command": "override"}, {"id": 7}, {"id": "x" * 100})
    told = desk.told()
    assert [one[1] for one in told] == ["refused"] * 3
    assert all(one[0].startswith("#") for one in told)
    assert desk.told() == told


def test_other_attributes_stay_as_they_are(desk: Desk) -> None:
    desk.two.edit("", "attributes", theirs="kept")
    desk.give(override(desk.two))
    desk.told()
    shown = desk.two.there("")["attributes"]
    assert shown["theirs"] == "kept"
    assert shown["flexedge-commands"][0]["id"] == "1"


def test_the_last_twenty_are_told(desk: Desk) -> None:
    desk.give(*(plain(desk.two, str(n), "polling", device="meter") for n in range(25)))
    assert [one[0] for one in desk.told()] == [str(n) for n in range(5, 25)]
    assert len(desk.restarted) == 25
