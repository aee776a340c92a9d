"""Cut after each request, before the centre hears of it and after: it ends the same."""

from pathlib import Path

import pytest

from flexedge.errors import CentreAway
from flexedge.gateway.sync.build import Bench, every, links_of, missing
from flexedge.gateway.sync.linking import link
from flexedge.gateway.sync.ours import ours
from tests.gateway.sync.cutting import Cutter, cutter
from tests.gateway.sync.linked import Here, There, told_of, until_done

WHOLE = {"": ["import"], "/battery": ["power", "power forecast", "soc"]}


def gateway(folder: Path) -> Here:
    """One with forecasts, too."""
    folder.mkdir()
    here = Here(folder)
    here.kinds = {here.power: frozenset({"forecaster", "scheduler"})}
    return here


SCOPES = ("readings", "forecasts")


def cut_and_begun_again(here: Here, there: There, between: Cutter, passing: int) -> bool:
    """Whether linking was cut; it is begun again from the beginning then, and ended."""
    office, asked = here.office(), here.asked(between.url, scopes=SCOPES)
    between.passing = len(between.passed) + passing
    try:
        until_done(office, asked)
    except CentreAway:
        between.passing = None
        until_done(office, asked)
        assert there.tree(here.name) == WHOLE
        return True
    return False


@pytest.mark.parametrize("how", ["before", "after"])
def test_cut_after_any_request_nothing_is_made_twice(
    tmp_path: Path, there: There, how: str
) -> None:
    with cutter(there.url) as between:
        between.how = "after" if how == "after" else "before"
        passing, made = 0, 0
        while cut_and_begun_again(gateway(tmp_path / str(passing)), there, between, passing):
            passing += 1 if how == "after" else 3
            made = len(between.passed)
    assert passing >= 18  # so many requests it takes
    assert made > passing


def test_one_after_the_other_in_few_requests(tmp_path: Path, there: There) -> None:
    here = gateway(tmp_path / "one")
    with cutter(there.url) as between:
        progress = until_done(here.office(), here.asked(between.url, scopes=SCOPES))
    assert told_of(progress) == [
        f"made asset {here.name}", f"made sensor {here.name} / import",
        f"made asset {here.name} / battery", f"made sensor {here.name} / battery / power",
        f"made sensor {here.name} / battery / power forecast",
        f"made sensor {here.name} / battery / soc",
        f"sent the settings of {here.name}", f"sent the settings of {here.name} / battery",
    ]  # fmt: skip
    assert sum(one == "POST /api/v3_0/sensors" for one in between.passed) == 4
    assert sum(one.startswith("GET /api/v3_0/sensors") for one in between.passed) == 0
    assert len(between.passed) < 30


def test_what_is_made_says_whose_it_is(here: Here, there: There) -> None:
    here.kinds = {here.power: frozenset({"scheduler"})}
    here.change(here.battery, attributes={"color": "red", "flexedge-secret": 1})
    here.link(there.url)
    numbers, gateway_id = here.links(), here.state.fact("gateway.id")
    asset = there.ask("GET", f"/assets/{numbers['asset', here.battery, '']}")
    assert asset["external_id"] == f"{gateway_id}/battery"
    assert asset["attributes"] == (
        f'{{"color": "red", "flexedge": {{"gateway": "{gateway_id}", "asset": '
        f'"{gateway_id}/battery", "type": "battery", "made": true}}}}'
    )
    site = there.ask("GET", f"/assets/{numbers['asset', here.site, '']}")
    assert (site["latitude"], site["external_id"]) == (52.37, f"{gateway_id}/site")
    sensor = there.ask("GET", f"/sensors/{numbers['sensor', here.power, 'schedule']}")
    assert (sensor["name"], sensor["unit"], sensor["timezone"], sensor["event_resolution"]) == (
        "power schedule", "kW", "Europe/Amsterdam", "PT15M")  # fmt: skip
    for part in ('"consumption_is_positive": true', '"source-type": "scheduler"',
                 '"status_specs": {"staleness_search"', '"sensor": "2.power"'):  # fmt: skip
        assert part in sensor["attributes"]


def test_links_say_how_values_are_posted(here: Here, there: There) -> None:
    here.sensor(here.battery, "state", "")
    here.link(there.url)
    links = {key: one for key, one in links_of(here.state, 1).items() if key[0] == "sensor"}
    told = [(one.details["unit"], one.details["posted"], one.details["resolution"], one.made)
            for one in links.values()]  # fmt: skip
    assert sorted(told) == [
        ("EUR/MWh", "EUR/MWh", 900.0, True), ("dimensionless", "dimensionless", 900.0, True),
        ("kW", "kW", 900.0, True), ("kWh", "kWh", 0.0, True),
    ]  # fmt: skip


def test_what_is_refused_is_told_and_stops_nothing(here: Here, there: There) -> None:
    here.sensor(here.battery, "x" * 119)
    with cutter(there.url) as between:
        between.refusing = {
            "POST /api/v3_0/sensors": (422, '{"message": {"json": {"unit": ["No"]}}}')
        }
        (told,) = here.link(between.url)
        assert told.left == 0
        assert set(told.refused) == {
            f"sensor {here.name} / import", f"sensor {here.name} / battery / power",
            f"sensor {here.name} / battery / soc", f"sensor {here.name} / battery / {'x' * 119}",
        }  # fmt: skip
        assert "No" in told.refused[f"sensor {here.name} / battery / power"]
        between.refusing = {}
        again = here.link(between.url)
    assert again[-1].refused == {}
    assert there.tree(here.name)["/battery"] == ["power", "soc", "x" * 119]


def test_who_may_not_is_told_which_role_it_takes(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        between.refusing = {"POST /api/v3_0/assets": (403, '{"message": "Not yours"}')}
        told = link(here.office(), here.asked(between.url), "anna")
    assert "account-admin" in told.refused[f"asset {here.name}"]
    assert told.done == ()


def test_what_is_missing_is_known_without_asking(here: Here) -> None:
    mine = ours(here.state, here.rules, SCOPES, {})
    bench = Bench(here.state, None, 1, 1, mine, "ask", frozenset({f"sensor {here.name} / import"}))  # type: ignore[arg-type]
    assert [name for _, name in every(mine)] == [
        f"asset {here.name}", f"sensor {here.name} / import", f"asset {here.name} / battery",
        f"sensor {here.name} / battery / power", f"sensor {here.name} / battery / soc",
    ]  # fmt: skip
    assert missing(bench) == [
        ("asset", here.site, ""), ("asset", here.battery, ""), ("sensor", here.power, ""),
        ("sensor", here.soc, ""),
    ]  # fmt: skip
