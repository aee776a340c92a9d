"""Which edits can be, and which of several."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.config.check import load_site
from flexedge.config.editable import CONTEXT, MODEL
from flexedge.domain.variable import fixed
from flexedge.gateway.amended import Change
from flexedge.gateway.judge import Judge
from tests.gateway.conftest import NOW, Hut, World


def judge(hut: Hut, world: World) -> Judge:
    loaded = load_site(hut.folder / "site.yaml")
    return Judge(loaded, world.gateway.plant, world.gateway.state)


def change(world: World, field: str, theirs: Any, asset: str = "battery") -> Change:
    every = world.gateway.state.assets.all()
    number = next(n for n, one in every.items() if one.defined_as == asset)
    return Change(centre="main", thing="asset", number=number, about=asset, column="flex_model",
                  field=field, theirs=theirs)  # fmt: skip


def test_edits_that_are_right_only_together_are_taken_together(hut: Hut) -> None:
    world = hut("battery", "house", model={"battery": "charging-power-curve: "
                "[{soc: 0 kWh, power: 5 kW}, {soc: 10 kWh, power: 1 kW}]"})  # fmt: skip
    mine = judge(hut, world)
    split = [change(world, "roundtrip-efficiency", None),
             change(world, "charging-efficiency", "90%")]  # fmt: skip
    good, wrong = mine.sort((), split, NOW)
    assert good == []  # the site file has a roundtrip-efficiency, which stays
    assert ["take it out there" in one.why for one in wrong] == [True, False]
    assert "give roundtrip-efficiency or charging- and discharging-efficiency" in wrong[1].why
    both = [change(world, "soc-min", "4 kWh"), change(world, "soc-max", "6 kWh")]
    assert mine.sort((), both, NOW) == (both, [])


def test_of_edits_that_exclude_each_other_the_first_is_taken(hut: Hut) -> None:
    world = hut("battery", "house")
    both = [change(world, "soc-min", "6 kWh"), change(world, "soc-max", "5 kWh")]
    good, (wrong,) = judge(hut, world).sort((), both, NOW)
    assert good == both[:1]
    assert "soc-min (6 kWh) lies above soc-max (5 kWh)" in wrong.why


def test_what_lies_over_the_file_counts_for_what_comes_after(hut: Hut) -> None:
    world = hut("battery", "house")
    mine = judge(hut, world)
    laid = mine.over((), [change(world, "soc-min", "6 kWh").become("in force", NOW)])
    assert mine.site(laid).assets["battery"].flex_model.soc_min == 6.0
    _, (wrong,) = mine.sort(laid, [change(world, "soc-max", "5 kWh")], NOW)
    assert "soc-min (6 kWh) lies above soc-max (5 kWh)" in wrong.why
    good, wrongs = mine.sort(laid, [change(world, "soc-min", None)], NOW)
    assert (len(good), wrongs) == (1, [])


def test_what_no_longer_fits_is_told_apart(hut: Hut) -> None:
    world = hut("battery", "house")
    mine = judge(hut, world)
    kept = tuple(
        change(world, *one).become("in force", NOW)
        for one in (("soc-min", "2 kWh"), ("soc-max", "12 kWh"))
    )
    still, lost = mine.still(kept, NOW)
    assert still == kept[:1]
    assert [(one.field, one.fate) for one in lost] == [("soc-max", "taken back")]


def test_sensors_have_the_names_of_the_site_file(hut: Hut) -> None:
    world = hut("battery", "house")
    number = next(n for n, one in world.gateway.state.sensors().items() if one.name == "import")
    assert judge(hut, world).name(number) == "import"
    assert judge(hut, world).name(99_999) is None


def test_what_fits_only_together_still_does_after_a_start(hut: Hut) -> None:
    world = hut("battery", "house")
    every = world.gateway.state.assets.all()
    site = next(n for n, one in every.items() if one.defined_as == "")
    future = {"probability": 0.5, "consumption-price": "1 EUR/kWh"}
    both = [
        Change(centre="main", thing="asset", number=site, about="Hut", column="flex_context",
               field=field, theirs=theirs)
        for field, theirs in (("risk-weight", 0.5), ("scenarios", [future]))
    ]  # fmt: skip
    mine = judge(hut, world)
    assert mine.sort((), both, NOW) == (both, [])
    kept = tuple(one.become("in force", NOW) for one in both)
    assert mine.still(kept, NOW) == (kept, ())
    alone, (wrong,) = mine.sort((), both[:1], NOW)
    assert (alone, "risk-weight needs scenarios" in wrong.why) == ([], True)


def test_what_is_accepted_no_more_is_told_apart(hut: Hut) -> None:
    world = hut("battery", "house")
    kept = tuple(
        change(world, *one).become("in force", NOW)
        for one in (("wear-cost", "0.05 EUR/kWh"), ("soc-max", "9 kWh"))
    )
    strange = replace(kept[1], centre="second")
    still, lost = judge(hut, world).still((*kept, strange), NOW)
    assert still == kept[1:]
    assert [(one.centre, one.why) for one in lost] == [
        ("main", "the site file has changed: wear-cost is not accepted from main any more"),
        ("second", "the site file has changed: soc-max is not accepted from second any more"),
    ]


_NUMBERS = st.one_of(
    st.floats(), st.integers(), st.sampled_from(["0", "1e-300", "1e300", "-3", "nan", "inf", "50"])
)
_UNITS = st.sampled_from(["kWh", "kW", "W", "%", "EUR/kWh", "kW/h", "min", "GBP/kWh", ""])
_TEXTS = st.builds(lambda number, unit: f"{number} {unit}".strip(), _NUMBERS, _UNITS)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, st.just({"sensor": 1})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["sensor", "default", "value", "up-to"]), inner,
                        max_size=2),
    ),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Iterator[tuple[World, Judge]]:
    with ExitStack() as stack:
        hut = Hut(tmp_path_factory.mktemp("judged"), blank, stack)
        world = hut("battery", "house", context="site-power-capacity: 10 kW")
        yield world, judge(hut, world)


@settings(max_examples=300, deadline=None)
@given(edits=st.dictionaries(st.sampled_from(sorted(MODEL)), _VALUES, min_size=1, max_size=3))
def test_whatever_is_edited_nothing_is_wider_than_the_site_file(
    judged: tuple[World, Judge], edits: dict[str, Any]
) -> None:
    world, mine = judged
    changes = [change(world, field, theirs) for field, theirs in edits.items()]
    good, wrong = mine.sort((), changes, NOW)
    assert len(good) + len(wrong) == len(edits)
    assert all(one.why for one in wrong)
    laid = mine.over((), [one.become("on trial", NOW) for one in good])
    before = world.unit("battery")
    after = next(
        one for one in world.gateway.plant.edited(mine.site(laid)) if one.name == "battery"
    )
    (low, high), (new_low, new_high) = before.range_kw, after.range_kw
    assert low <= new_low <= new_high <= high
    assert before.soc_min_kwh <= after.soc_min_kwh
    assert after.soc_max_kwh is not None
    assert before.soc_max_kwh is not None
    assert after.soc_min_kwh <= after.soc_max_kwh <= before.soc_max_kwh
    assert after.full_kwh == before.full_kwh
    assert after.least_kw >= before.least_kw


@settings(max_examples=200, deadline=None)
@given(edits=st.dictionaries(st.sampled_from(sorted(CONTEXT)), _VALUES, min_size=1, max_size=3))
def test_whatever_is_edited_of_the_site_its_connection_gets_no_wider(
    judged: tuple[World, Judge], edits: dict[str, Any]
) -> None:
    world, mine = judged
    every = world.gateway.state.assets.all()
    site = next(n for n, one in every.items() if one.defined_as == "")
    changes = [
        replace(change(world, field, theirs), number=site, column="flex_context")
        for field, theirs in edits.items()
    ]
    good, _ = mine.sort((), changes, NOW)
    laid = mine.over((), [one.become("on trial", NOW) for one in good])
    capacity = fixed(mine.site(laid).flex_context.electricity.site_power_capacity)
    assert capacity is not None
    assert 0.0 <= capacity <= 10.0
