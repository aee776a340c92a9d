from pathlib import Path

from flexedge.domain.asset import Source
from flexedge.gateway.service.removal import remove_asset, remove_sensor
from flexedge.store.tables.annotations import Annotation
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.audit import Entry
from tests.web.api.calls import NOW, Platform, platform


def note(what: str, number: int, asset: Asset) -> Entry:
    return Entry(NOW, "ann", what, account_id=asset.account_id, asset_id=number)


def said(here: Platform) -> list[tuple[str, int | None]]:
    entries = here.parts.state.audit.newest()
    return [(one.what, one.asset_id) for one in reversed(entries)]


def test_what_referred_to_a_sensor_does_not_any_more(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state = here.parts.state
    power, load = here.sensor("power"), here.sensor("load")
    site = state.assets.add(Asset(
        "site", "building", account_id=1, flex_model={"power-capacity": {"sensor": power}},
        flex_context={"inflexible-device-sensors": [load, power]},
        sensors_to_show=[power, {"title": "x", "sensors": [power, load]}],
        sensors_to_show_as_kpis=[{"title": "x", "sensor": power}],
    ))  # fmt: skip
    remark = Annotation("hot", NOW, NOW, "label", state.source_id(Source("ann", "user")))
    state.annotations.add(remark, "sensor", power)
    placed = state.placed.get(power)
    assert placed is not None
    remove_sensor(state, here.parts.beliefs, (power, placed), note, NOW)
    assert state.annotations.about("sensor", power) == {}
    left = state.assets.get(site)
    assert left is not None
    assert (left.flex_model, left.flex_context) == ({}, {"inflexible-device-sensors": [load]})
    assert left.sensors_to_show == [{"title": "x", "sensors": [load]}]
    assert left.sensors_to_show_as_kpis == []
    told = f"Removed sensor reference 'power': {power} from {{}} (because sensor has been deleted)."
    places = ("flex-model", "flex-context", "sensors-to-show", "sensors-to-show-as-kpis")
    assert said(here) == [
        *((told.format(place), site) for place in places),
        (f"Deleted sensor 'power': {power}", here.asset),
    ]


def test_an_asset_takes_remarks_and_sensors_with_it(tmp_path: Path) -> None:
    here = platform(tmp_path)
    state = here.parts.state
    child = state.assets.add(Asset("child", "battery", here.asset, 1))
    sensor = here.sensor("power", asset=child)
    source = state.source_id(Source("ann", "user"))
    remark = Annotation("hot", NOW, NOW, "label", source)
    state.annotations.add(remark, "asset", child)
    state.annotations.add(remark, "sensor", sensor)
    state.annotations.add(remark, "account", 1)
    remove_asset(state, here.parts.beliefs, here.asset, note, NOW)
    assert state.assets.all() == {}
    assert state.placed.all() == {}
    assert state.annotations.about("asset", child) == {}
    assert state.annotations.about("sensor", sensor) == {}
    assert len(state.annotations.about("account", 1)) == 1
    assert said(here) == [(f"Deleted asset 'battery': {here.asset}", here.asset)]
