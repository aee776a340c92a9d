"""Bundles for support."""

import json
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import RequestError, StoreError
from flexedge.gateway import support
from flexedge.gateway.support import Support
from tests.gateway.conftest import Hut


def contents(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        return {
            one.name: json.loads(file.read())
            for one in tar.getmembers()
            if (file := tar.extractfile(one)) is not None
        }


def test_a_bundle_says_how_things_stand_and_no_secret(hut: Hut, tmp_path: Path) -> None:
    world = hut("battery", "house")
    path = hut.folder / "site.yaml"
    broker = "port: 1, username: jo, password-file: secret.txt}}\ndevices"
    path.write_text(path.read_text().replace("port: 1}}\ndevices", broker))
    (hut.folder / "secret.txt").write_text("hunter2")
    world = hut.again()
    world.show({"battery.soc": 50.0, "battery.power": 0.0, "grid.power": 1.0})
    world.poll()
    world.try_plan()
    world.gateway.health.alarm("test", "something is wrong")
    made = Support(tmp_path, world.gateway).bundle(world.now)
    assert made.stat().st_mode & 0o777 == 0o600
    assert made.parent.stat().st_mode & 0o777 == 0o700
    told = contents(made)
    assert told["site.json"]["assets"]["battery"]["flex-model"]["soc-max"] == "10.0 kWh"
    assert told["site.json"]["brokers"]["local"]["password-file"] == "***"
    assert "hunter2" not in json.dumps(told)
    assert told["health.json"]["devices"]["hybrid"]["state"] == "ok"
    assert [one["message"] for one in told["health.json"]["alarms"]][-1] == "something is wrong"
    assert told["plan.json"]["rung"] == "fresh-plan"
    assert told["asked.json"] == {"overrides": [], "limits": [], "edits": []}
    assert told["about.json"]["at"] == world.now.isoformat()


def test_there_is_one_an_hour_and_five_are_kept(hut: Hut, tmp_path: Path) -> None:
    world = hut("house")
    mine = Support(tmp_path, world.gateway)
    first = mine.bundle(world.now)
    with pytest.raises(RequestError, match="less than an hour ago"):
        mine.bundle(world.now + timedelta(minutes=59))
    made = [mine.bundle(world.now + timedelta(hours=hours)) for hours in range(1, 6)]
    assert sorted((tmp_path / "bundles").iterdir()) == made
    assert first not in made
    assert mine.bundle(world.now - timedelta(days=1)) is not None  # a clock that was put back


def test_what_is_too_large_is_left_out(
    hut: Hut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = hut("battery", "house")
    monkeypatch.setattr(support, "_MOST", 1500)
    made = Support(tmp_path, world.gateway).bundle(world.now)
    assert made.stat().st_size <= 1500
    with tarfile.open(made) as tar:
        file = tar.extractfile("site.json")
        assert file is not None
        assert file.read() == b"left out: too large\n"


def test_a_folder_that_cannot_be_written_is_told(hut: Hut, tmp_path: Path) -> None:
    (tmp_path / "bundles").write_text("in the way")
    with pytest.raises(StoreError, match="bundles"):
        Support(tmp_path, hut("house").gateway).bundle(hut("house").now)
