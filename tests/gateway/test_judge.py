"""Which edits can be, and which of several."""

from typing import Any

from flexedge.config.check import load_site
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
