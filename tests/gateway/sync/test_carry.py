"""What a centre asks for goes by the doors that people on site go by."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import RequestError
from flexedge.gateway.support import Support
from flexedge.gateway.sync.carry import Done, Site, carry_out
from flexedge.wire.commands import COMMAND
from tests.gateway.conftest import NOW, Hut, World

UNTIL = (NOW + timedelta(hours=1)).isoformat()
JANE = "Jane at main"


def site(world: World, folder: Path, restarted: list[str]) -> Site:
    gateway = world.gateway
    return Site(gateway.overrides, Support(folder, gateway), restarted.append,
                gateway.plant.site.devices)  # fmt: skip


def test_each_kind_is_done_and_said(hut: Hut, tmp_path: Path) -> None:
    world, restarted = hut("battery", "house"), list[str]()
    mine = site(world, tmp_path, restarted)
    numbers: dict[str, int | None] = {}

    def do(**fields: Any) -> Done:
        given = {"id": "1", "at": NOW.isoformat(), **fields}
        return carry_out(mine, COMMAND.validate_python(given), JANE, numbers.get, NOW)

    ask = {"command": "override", "asset": "battery", "until": UNTIL}
    made = do(**ask, action="discharge", power="1 kW")
    assert (made.words, made.number) == ("battery is overridden", 1)
    numbers["a"] = made.number
    assert world.gateway.overrides.overrides(NOW)[0].power_kw == -1.0
    assert do(**ask, action="idle").number == 2  # the centre's own may be replaced
    drawn = do(command="limit", asset="battery", until=UNTIL, most_production="0 kW")
    assert world.gateway.overrides.limits(NOW)[0].low_kw == 0.0
    assert drawn.number == 3
    numbers["b"] = drawn.number
    expires = {"expires": UNTIL}
    assert do(command="limit", ends="b", **expires) == Done("taken back")
    assert do(command="override", ends="a", **expires) == Done("has ended already")
    assert do(command="polling", device="meter", **expires) == Done("meter is asked anew")
    assert restarted == ["meter"]
    assert (tmp_path / "bundles").is_dir() is False
    assert do(command="bundle", **expires).words.endswith(".tar.gz is on the gateway")


def test_nobody_on_site_is_overruled_whatever_they_are_called(hut: Hut, tmp_path: Path) -> None:
    world = hut("battery", "house")
    until = NOW + timedelta(hours=1)
    mine = site(world, tmp_path, [])
    world.gateway.overrides.ask(("battery", "idle", None), until, "Joe at second", "", NOW)
    given = {"id": "1", "at": NOW.isoformat(), "command": "override", "asset": "battery",
             "until": UNTIL, "action": "release"}  # fmt: skip
    with pytest.raises(RequestError, match="Joe at second has overridden battery until"):
        carry_out(mine, COMMAND.validate_python(given), JANE, dict[str, int | None]().get, NOW)
