import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from flexedge.store.tables.annotations import Annotation
from flexedge.web.api.dev import operations
from tests.web.api.asking import NOW, USER, Platform, platform

SPAN = {"start": NOW.isoformat(), "duration": "PT1H"}


def ask(here: Platform, path: str, number: int, **query: Any) -> Any:
    return here.ask("GET", f"/api/dev/{path}", number, SPAN | query).body


def test_sensors_and_assets_say_from_when_until_when_they_have_data(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        empty = ask(here, "asset/{id}", home)
        power = here.sensor(home, "power")
        here.believe(power, NOW, [1, 2], NOW)
        told = ask(here, "sensor/{id}", power)
        assert (told.name, told.timezone) == ("power", "Europe/Amsterdam")
        assert told.timerange.model_dump() == {
            "start": "Tue, 14 Apr 2026 12:00:00 GMT",
            "end": "Tue, 14 Apr 2026 12:30:00 GMT",
        }  # fmt: skip
        asset = ask(here, "asset/{id}", home)
        assert asset.timezone == "Europe/Amsterdam"
        assert asset.timerange_of_sensors_to_show == told.timerange
        assert (empty.timezone, empty.timerange_of_sensors_to_show.end) == (
            "UTC", "Tue, 14 Apr 2026 12:00:00 GMT")  # fmt: skip
        zoned = here.asset("zoned", attributes={"timezone": "Asia/Tokyo"})
        assert ask(here, "asset/{id}", zoned).timezone == "Asia/Tokyo"


def test_a_sensor_has_charts_data_and_remarks(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        power = here.sensor(home, "power")
        here.believe(power, NOW, [1], NOW)
        source = here.parts.beliefs.source(USER)
        for thing, number, text in (("sensor", power, "s"), ("asset", home, "a"),
                                    ("account", 1, "c")):  # fmt: skip
            remark = Annotation(text, NOW, NOW + timedelta(hours=1), "label", source)
            here.parts.state.annotations.add(remark, thing, number)  # type: ignore[arg-type]
        (one,) = json.loads(ask(here, "sensor/{id}/chart_data", power))
        assert (one["event_value"], one["cumulative_probability"]) == (1, 0.5)
        assert json.loads(ask(here, "sensor/{id}/chart_data", power, compress_json="1"))["data"]
        (note,) = ask(here, "sensor/{id}/chart_annotations", power)
        assert note.content == ["s", "a"]
        spec = ask(here, "sensor/{id}/chart", power, include_data="true",
                   include_sensor_annotations="true", include_asset_annotations="true",
                   include_account_annotations="true")  # fmt: skip
        name = f"sensor_{power}"
        assert [one["event_value"] for one in spec["datasets"][name]] == [1]
        (note,) = spec["datasets"][f"{name}_annotations"]
        assert note["content"] == ["s", "a", "c"]
        assert "encoding" in ask(here, "sensor/{id}/chart", power, chart_type="histogram")


def test_charts_of_assets_are_where_older_pages_ask_for_them(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        here.believe(here.sensor(home, "power"), NOW, [1], NOW)
        assert json.loads(ask(here, "asset/{id}/chart_data", home))[0]["scale_factor"] == 1
        assert ask(here, "asset/{id}/chart_annotations", home) == []
        assert ask(here, "asset/{id}/chart", home)["vconcat"]
