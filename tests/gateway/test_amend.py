"""Edits from a centre: within the site file, on trial first, back by themselves when in doubt."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flexedge.errors import PlanError, StoreError
from flexedge.gateway.amended import Amendment, Change
from tests.gateway.conftest import Hut, World

WITHIN = timedelta(minutes=10)
SITE = "site.yaml"


def number(world: World, defined_as: str) -> int:
    every = world.gateway.state.assets.all()
    return next(one for one, asset in every.items() if asset.defined_as == defined_as)


def change(world: World, asset: str, field: str, theirs: Any, column: Any = "flex_model") -> Change:
    one = number(world, asset)
    mine = getattr(world.gateway.state.assets.get(one), column).get(field)
    return Change(
        centre="main", thing="asset", number=one, about=asset or "Hut", column=column,
        field=field, ours=mine, theirs=theirs,
    )  # fmt: skip


def alive(hut: Hut) -> World:
    """A battery behind a meter that both answer, with a plan."""
    world = hut("battery", "house")
    world.show({"battery.soc": 50.0, "battery.power": 0.0, "grid.power": 1.0})
    world.plan()
    return world


def offer(world: World, *changes: Change, refused: tuple[Amendment, ...] = ()) -> None:
    world.gateway.amendments.offer("main", changes, refused, WITHIN, world.now)


def fates(world: World) -> list[tuple[str, str]]:
    return [(one.field, one.fate) for one in world.gateway.amendments.all()]


def pass_time(world: World, minutes: float, *, heard: bool = True) -> None:
    """Time passes, a minute at a time; devices answer, and the centre does or does not."""
    end = world.now + timedelta(minutes=minutes)
    while world.now < end:
        world.now += timedelta(seconds=20)
        world.poll()
        if heard:
            world.gateway.amendments.heard("main", world.now)
        world.gateway.amendments.step(world.now)


def trail(world: World) -> list[str]:
    return [one.what for one in reversed(world.gateway.state.audit.newest())]


def test_an_edit_takes_effect_at_once_and_has_the_plan_made_anew(hut: Hut) -> None:
    world = alive(hut)
    assert not world.gateway.planner.changed(world.now)
    offer(world, change(world, "battery", "power-capacity", "2 kW"))
    assert world.unit("battery").range_kw == (-2.0, 2.0)
    assert world.gateway.planner.changed(world.now)
    plan = world.plan()
    assert max(abs(plan.schedules["battery"].power_kw.values)) <= 2.0
    assert fates(world) == [("power-capacity", "on trial")]


def test_an_edit_that_goes_well_stays(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    one = number(world, "battery")
    before = world.gateway.state.assets.get(one)
    assert before is not None
    assert before.flex_model["soc-min"] == "1.0 kWh"  # nobody is told before it is certain
    pass_time(world, 10.5)
    assert fates(world) == [("soc-min", "in force")]
    assert world.gateway.amendments.trial is None
    told = world.gateway.state.assets.get(one)
    assert told is not None
    assert told.flex_model["soc-min"] == "3.0 kWh"
    assert trail(world) == [
        "Edit of battery, soc-min: on trial", "Edit of battery, soc-min: in force"
    ]  # fmt: skip
    assert hut.again().unit("battery").soc_min_kwh == 3.0


def test_an_edit_beyond_the_site_file_is_refused_in_words_and_once(hut: Hut) -> None:
    world = alive(hut)
    for _ in range(2):
        offer(world, change(world, "battery", "soc-min", "0.5 kWh"))
    assert world.unit("battery").soc_min_kwh == 1.0
    assert fates(world) == [("soc-min", "refused")]
    (told,) = trail(world)
    assert told == (
        "Edit of battery, soc-min: refused (assets.battery.flex-model.soc-min: should be at least "
        "1.0 kWh, as the site file says, not 0.5 kWh)"
    )
    assert "soc-min 0.5 kWh instead of 1.0 kWh (refused" in world.alarms["centre edits"]
    offer(world)  # there it is as it was
    assert fates(world) == []
    assert "centre edits" not in world.alarms


def test_of_several_edits_the_good_ones_take_effect(hut: Hut) -> None:
    world = alive(hut)
    offer(
        world,
        change(world, "battery", "soc-min", "2 kWh"),
        change(world, "battery", "soc-max", "12 kWh"),
    )
    assert fates(world) == [("soc-min", "on trial"), ("soc-max", "refused")]
    assert world.unit("battery").soc_min_kwh == 2.0
    assert world.unit("battery").soc_max_kwh == 10.0


def test_no_direction_is_opened_that_the_site_file_keeps_shut(hut: Hut) -> None:
    world = hut("battery", model={"battery": "production-capacity: 3 kW"})
    assert world.unit("battery").range_kw == (-3.0, 0.0)
    offer(world, change(world, "battery", "consumption-capacity", "2 kW"))
    (told,) = trail(world)
    assert "would let battery go from -3 to 2 kW: by the site file it goes from -3 to 0 kW" in told
    assert world.unit("battery").range_kw == (-3.0, 0.0)


def test_a_percentage_goes_on_meaning_what_it_does(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-max", "8 kWh"))
    world.show({"battery.soc": 90.0})
    world.poll()
    battery = world.unit("battery")
    assert world.gateway.storages.soc_kwh(battery, world.now) == 9.0
    assert battery.soc_max_kwh == 8.0


def test_a_lost_device_takes_it_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    world.away.add("hybrid")
    device = world.gateway.health
    for _ in range(3):
        world.now += timedelta(seconds=20)
        world.poll()
        device.failed("hybrid", "no answer", world.now)
        world.gateway.amendments.heard("main", world.now)
        world.gateway.amendments.step(world.now)
    assert world.unit("battery").soc_min_kwh == 1.0
    assert fates(world) == [("soc-min", "taken back")]
    assert "hybrid does not answer any more" in trail(world)[-1]
    offer(world, change(world, "battery", "soc-min", "3 kWh"))  # still so there: not once more
    assert world.unit("battery").soc_min_kwh == 1.0
    offer(world, change(world, "battery", "soc-min", "2 kWh"))  # somebody thought better of it
    assert world.unit("battery").soc_min_kwh == 2.0


def test_a_device_that_was_lost_before_is_nobodys_fault(hut: Hut) -> None:
    world = alive(hut)
    world.gateway.health.failed("meter", "no answer", world.now + timedelta(seconds=1))
    world.values.pop("grid.power")
    world.now += timedelta(minutes=1)
    world.poll()
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 10.5)
    assert fates(world) == [("soc-min", "in force")]


def test_a_centre_that_is_lost_takes_it_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 4, heard=False)
    assert world.unit("battery").soc_min_kwh == 3.0
    pass_time(world, 1.5, heard=False)
    assert world.unit("battery").soc_min_kwh == 1.0
    assert "main has not answered for 5 min" in trail(world)[-1]


def test_a_plan_that_does_not_come_out_takes_it_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))

    def refuse(*_of: object) -> None:
        raise PlanError("there is no way")

    world.gateway.planner._gatherer.gather = refuse  # type: ignore[assignment]
    world.try_plan()
    world.gateway.amendments.step(world.now)
    assert world.unit("battery").soc_min_kwh == 1.0
    assert "no plan can be made: there is no way" in trail(world)[-1]


def test_without_a_known_time_it_goes_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    world.gateway.health.time_known = False
    world.gateway.amendments.step(world.now)
    assert world.unit("battery").soc_min_kwh == 1.0


def test_a_trial_goes_on_after_a_start_and_its_time_does_too(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    now = world.now
    again = hut.again()
    assert again.unit("battery").soc_min_kwh == 3.0
    stored = again.gateway.state.assets.get(number(again, "battery"))
    assert stored is not None
    assert stored.flex_model["soc-min"] == "1.0 kWh"
    again.now = now + timedelta(minutes=6)
    again.gateway.amendments.step(again.now)
    assert again.unit("battery").soc_min_kwh == 1.0
    assert fates(again) == [("soc-min", "taken back")]
    assert hut.again().unit("battery").soc_min_kwh == 1.0


def test_an_edit_under_which_the_program_does_not_live_goes_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    now = world.now
    for soc_min in (3.0, 3.0, 1.0):  # the third time it is not even tried
        world = hut.again()
        assert world.unit("battery").soc_min_kwh == soc_min
    assert "flexedge started 3 times meanwhile" in trail(world)[-1]
    world.gateway.amendments.step(now)
    assert fates(world) == [("soc-min", "taken back")]


def test_the_first_word_after_a_long_silence_confirms_nothing(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    now = world.now
    again = hut.again()  # the power was cut for long, or the clock was set on
    again.now = now + timedelta(minutes=11)
    again.show({"battery.soc": 50.0, "battery.power": 0.0, "grid.power": 1.0})
    again.poll()
    again.gateway.amendments.heard("main", again.now)
    again.gateway.amendments.step(again.now)
    assert again.unit("battery").soc_min_kwh == 1.0
    assert "main has not answered for 5 min" in trail(again)[-1]


def test_a_clock_that_was_set_back_before_the_trial_takes_it_back(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    now = world.now
    again = hut.again()
    again.gateway.amendments.step(now - timedelta(hours=1))
    assert again.unit("battery").soc_min_kwh == 1.0
    assert "nobody knows what time it is" in trail(again)[-1]


def test_nothing_is_confirmed_while_a_device_may_be_lost(hut: Hut) -> None:
    world = alive(hut)
    start = world.now
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 9.6)
    world.away.add("hybrid")
    world.gateway.health.failed("hybrid", "no answer", world.now)
    pass_time(world, 0.3)
    assert world.now == start + WITHIN
    assert fates(world) == [("soc-min", "on trial")]
    pass_time(world, 0.3)
    assert fates(world) == [("soc-min", "taken back")]


@pytest.mark.parametrize("loop", ["plan", "dispatch", "line hybrid", "watch"])
def test_what_nobody_expected_takes_it_back(hut: Hut, loop: str) -> None:
    world = alive(hut)
    health = world.gateway.health
    health.alarm("loop prices", "prices failed unexpectedly: before, and so nobody's fault")
    health.beat("prices", world.now - timedelta(seconds=1))
    health.alarm("loop centre main: upload", "upload failed unexpectedly: that is not the site")
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 1)
    assert fates(world) == [("soc-min", "on trial")]
    health.alarm(f"loop {loop}", f"{loop} failed unexpectedly: KeyError: 'x'")
    world.gateway.amendments.step(world.now)
    assert world.unit("battery").soc_min_kwh == 1.0
    assert f"{loop} failed unexpectedly: KeyError: 'x'" in trail(world)[-1]


def test_an_edit_that_the_site_file_accepts_no_more_goes(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"),
          change(world, "battery", "soc-max", "9 kWh"))  # fmt: skip
    pass_time(world, 10.5)
    path = hut.folder / SITE
    path.write_text(path.read_text().replace("flex-model: [soc-min, soc-max]", "flex-model: [soc-max]"))  # fmt: skip  # noqa: E501
    again = hut.again()
    battery = again.unit("battery")
    assert (battery.soc_min_kwh, battery.soc_max_kwh) == (1.0, 9.0)
    assert "soc-min is not accepted from main any more" in again.alarms["centre edits"]
    path.write_text(re.sub("centres: .*\n", "", path.read_text()))
    assert hut.again().unit("battery").soc_max_kwh == 10.0


def test_what_no_problem_can_be_made_of_is_refused_and_the_rest_goes_on(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "roundtrip-efficiency", "1e-300"),
          change(world, "battery", "soc-min", "3 kWh"))  # fmt: skip
    assert fates(world) == [("soc-min", "on trial"), ("roundtrip-efficiency", "refused")]
    assert "should be at least 0.001" in trail(world)[0]


def test_two_centres_edit_the_same_field_one_after_the_other(hut: Hut) -> None:
    world, mine = alive(hut), change
    amendments = world.gateway.amendments
    ours = mine(world, "battery", "soc-min", "3 kWh")
    theirs = replace(mine(world, "battery", "soc-min", "2 kWh"), centre="second")
    offer(world, ours)
    amendments.offer("second", (theirs,), (), WITHIN, world.now)
    assert world.unit("battery").soc_min_kwh == 3.0  # one trial at a time
    amendments.heard("second", world.now)
    amendments.offer("second", (), (), WITHIN, world.now)  # says nothing of what is not its own
    assert fates(world) == [("soc-min", "on trial")]
    pass_time(world, 10.5)
    amendments.offer("second", (theirs,), (), WITHIN, world.now)
    assert world.unit("battery").soc_min_kwh == 2.0
    world.now += timedelta(minutes=6)  # the second is lost; the first one answers all the time
    amendments.heard("main", world.now)
    amendments.step(world.now)
    assert world.unit("battery").soc_min_kwh == 3.0
    assert [(one.centre, one.fate) for one in amendments.all()] == [
        ("main", "in force"), ("second", "taken back")
    ]  # fmt: skip


def test_edits_are_in_the_audit_log_of_the_sites_account(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"),
          change(world, "battery", "soc-max", "12 kWh"))  # fmt: skip
    pass_time(world, 10.5)
    put = replace(change(world, "battery", "colour", "red"), column="attributes")
    offer(world, put)
    root = world.gateway.state.assets.get(number(world, ""))
    assert root is not None
    entries = world.gateway.state.audit.newest()
    assert len(entries) == 4
    assert {(one.account_id, one.asset_id) for one in entries} == {
        (root.account_id, number(world, "battery"))
    }  # fmt: skip


def test_what_is_edited_once_more_begins_anew(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    offer(world, change(world, "battery", "soc-min", "2 kWh"))
    assert world.unit("battery").soc_min_kwh == 1.0
    offer(world, change(world, "battery", "soc-min", "2 kWh"))
    assert world.unit("battery").soc_min_kwh == 2.0
    assert fates(world) == [("soc-min", "on trial")]


def test_who_looked_before_a_trial_ended_begins_no_other(hut: Hut) -> None:
    world = alive(hut)
    edit = change(world, "battery", "soc-min", "3 kWh")
    offer(world, edit)
    pass_time(world, 10.5)
    offer(world, edit)  # as it was read before
    assert fates(world) == [("soc-min", "in force")]
    offer(world)
    assert fates(world) == [("soc-min", "in force")]


def test_nothing_else_is_tried_meanwhile(hut: Hut) -> None:
    world = alive(hut)
    first = change(world, "battery", "soc-min", "3 kWh")
    offer(world, first)
    offer(world, first, change(world, "battery", "soc-max", "9 kWh"))
    assert world.unit("battery").soc_max_kwh == 10.0
    pass_time(world, 10.5)
    offer(world, change(world, "battery", "soc-max", "9 kWh"))
    assert world.unit("battery").soc_max_kwh == 9.0
    assert world.unit("battery").soc_min_kwh == 3.0


def test_a_field_that_is_taken_away_is_what_the_site_file_says(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 10.5)
    offer(world, change(world, "battery", "soc-min", None))
    assert world.unit("battery").soc_min_kwh == 1.0
    pass_time(world, 10.5)
    offer(world, change(world, "battery", "soc-min", None))
    assert "soc-min is what the site file says: take it out there" in trail(world)[-1]


def test_prices_and_capacities_of_the_site_are_edited_too(hut: Hut) -> None:
    world = hut("battery", "house", context="site-consumption-capacity: 9 kW")
    world.show({"battery.soc": 50.0, "battery.power": 0.0, "grid.power": 1.0})
    world.plan()
    offer(world, change(world, "", "site-consumption-capacity", "4.2 kW", "flex_context"))
    assert world.gateway.plant.context.site_consumption_capacity == 4.2
    imports = world.gateway.state.sensors()
    price = next(one for one, sensor in imports.items() if sensor.name == "feed-in")
    pass_time(world, 10.5)
    offer(world, change(world, "", "consumption-price", {"sensor": price}, "flex_context"))
    assert world.gateway.amendments.all()[0].theirs == {"sensor": "feed-in"}
    assert world.plan().import_price.values[0] == 0.08


def test_what_the_site_file_does_not_define_is_put_where_the_api_has_it(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "colour", "red", "attributes"))
    stored = world.gateway.state.assets.get(number(world, "battery"))
    assert stored is not None
    assert stored.attributes["colour"] == "red"
    assert world.gateway.amendments.trial is None
    assert trail(world) == ["Edit of battery, colour: in force"]


def test_edits_that_the_site_file_has_overtaken_go(hut: Hut) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))
    pass_time(world, 10.5)
    path = hut.folder / SITE
    path.write_text(path.read_text().replace("soc-min: 1 kWh", "soc-min: 4 kWh"))
    again = hut.again()
    assert again.unit("battery").soc_min_kwh == 4.0
    assert "taken back: the site file has changed" in again.alarms["centre edits"]


def test_what_was_refused_elsewhere_is_kept_and_told(hut: Hut) -> None:
    world = alive(hut)
    one = change(world, "battery", "soc-min", "3 kWh").become("refused", world.now, "not accepted")
    offer(world, refused=(one,))
    offer(world, refused=(replace(one, at=world.now + timedelta(minutes=1)),))
    assert trail(world) == ["Edit of battery, soc-min: refused (not accepted)"]
    assert hut.again().alarms["centre edits"].startswith("battery: soc-min 3 kWh instead of 1.0")


def test_edits_that_cannot_be_read_leave_the_site_file(hut: Hut) -> None:
    world = alive(hut)
    world.gateway.state.remember("gateway.amendments", "{")
    again = hut.again()
    assert again.unit("battery").soc_min_kwh == 1.0
    assert "cannot be read" in again.alarms["centre edits-lost"]


def test_a_disk_that_fails_keeps_nothing_on_trial(
    hut: Hut, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = alive(hut)
    offer(world, change(world, "battery", "soc-min", "3 kWh"))

    def refuse(*_of: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(world.gateway.state, "remember", refuse)
        world.now += timedelta(minutes=6)
        with pytest.raises(StoreError):
            world.gateway.amendments.step(world.now)
        assert world.unit("battery").soc_min_kwh == 1.0  # whatever the disk says
        with pytest.raises(StoreError):
            offer(world, change(world, "battery", "soc-max", "9 kWh"))
        assert world.unit("battery").soc_max_kwh == 10.0
    world.gateway.amendments.step(world.now)
    assert fates(world) == [("soc-min", "taken back")]
