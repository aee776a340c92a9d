from dataclasses import replace
from pathlib import Path
from typing import Any

from flexedge.gateway.service.panels import Fixed, Panel, Shown, shown
from flexedge.store.tables.accounts import Account
from tests.web.api.asking import Platform, platform


def of(
    here: Platform, number: int, charts: list[Any] | None = None, *, suggested: bool = True
) -> Shown:
    asset = here.parts.state.assets.get(number)
    assert asset is not None
    return shown(
        here.parts.state, number, replace(asset, sensors_to_show=charts or []), suggested=suggested
    )


def test_every_way_to_name_sensors_is_understood(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        site = here.asset("site")
        one, two, three = (here.sensor(site, name) for name in "abc")
        found = of(here, site, [
            one, [two, three, two], {"title": "A", "sensor": one, "y-axis": "data"},
            {"title": "B", "plots": [{"sensors": [three]}, {"sensor": one}]}, {"plots": []}, 99,
        ])  # fmt: skip
        assert found.panels == (
            Panel(None, (one,)), Panel(None, (two, three)), Panel("A", (one,), "data"),
            Panel("B", (three, one)),
        )  # fmt: skip
        assert list(found.sensors) == [one, two, three]


def test_fields_of_flex_models_and_contexts_are_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        site = here.asset("site", flex_model={"soc-max": "12 kWh", "roundtrip-efficiency": "90%"})
        price = here.sensor(site, "price")
        context = here.asset("grid", flex_context={"consumption-price": {"sensor": price}})
        found = of(here, site, [{"plots": [
            {"asset": site, "flex-model": "soc-max"}, {"asset": site, "flex-model": "soc-min"},
            {"asset": context, "flex-context": "consumption-price"}, {"asset": 99},
            {"asset": site, "flex-model": "roundtrip-efficiency"},
        ]}])  # fmt: skip
        assert found.panels == (Panel(None, (-1, price, -2)),)
        assert found.fixed[-1] == Fixed("soc-max (site)", "kWh", 12.0, "flex-model", site, "site")
        assert (found.fixed[-2].value, found.fixed[-2].unit) == (90.0, "%")


def test_what_belongs_to_others_is_not_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        state = here.parts.state
        other = state.accounts.add(Account("Other"))
        mine, theirs, public = (here.asset(name) for name in ("mine", "theirs", "public"))
        for number, account in ((theirs, other), (public, None)):
            asset = state.assets.get(number)
            assert asset is not None
            state.assets.change(number, replace(
                asset, account_id=account, flex_model={"soc-max": "1 kWh"}))  # fmt: skip
        secret, known = here.sensor(theirs, "secret"), here.sensor(public, "known")
        found = of(here, mine, [[secret, known], {"plots": [
            {"asset": theirs, "flex-model": "soc-max"}]}])  # fmt: skip
        assert (found.panels, found.fixed) == ((Panel(None, (known,)),), {})


def test_without_charts_the_first_two_sensors_are_shown(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        site = here.asset("site")
        assert of(here, site) == Shown()
        one, two, _ = (here.sensor(site, name) for name in "abc")
        assert of(here, site).panels == (Panel(None, (one, two)),)
        assert of(here, site, suggested=False) == Shown()
        other = here.asset("other")
        first, second = here.sensor(other, "a"), here.sensor(other, "b", "EUR")
        assert of(here, other).panels == (Panel(None, (first,)), Panel(None, (second,)))
