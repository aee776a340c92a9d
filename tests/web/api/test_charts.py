import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flexedge.store.tables.annotations import Annotation
from flexedge.web.api.charts import operations
from tests.web.api.asking import NOW, USER, Platform, platform

SPAN = {"start": NOW.isoformat(), "duration": "PT1H"}


def ask(here: Platform, what: str, number: int, **query: Any) -> Any:
    return here.ask("GET", f"/api/v3_0/assets/{{id}}/{what}", number, SPAN | query).body


def say(here: Platform, start: datetime, *things: Any) -> None:
    source = here.parts.beliefs.source(USER)
    one = Annotation("a storm", start, start + timedelta(hours=9), "label", source)
    for thing, number in things:
        here.parts.state.annotations.add(one, thing, number)


def test_data_are_told_in_two_shapes_of_the_last_or_all_beliefs(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        power = here.sensor(home, "power")
        assert json.loads(ask(here, "chart_data", home)) == []
        here.believe(power, NOW, [1, 2], NOW - timedelta(hours=1))
        here.believe(power, NOW, [3], NOW)
        long = json.loads(ask(here, "chart_data", home))
        assert [one["event_value"] for one in long] == [3, 2]
        compact = json.loads(ask(here, "chart_data", home, compress_json="true",
                                 most_recent_beliefs_only="false"))  # fmt: skip
        assert [one["val"] for one in compact["data"]] == [1, 3, 2]
        coarse = json.loads(ask(here, "chart_data", home, resolution="PT1H"))
        assert [one["event_value"] for one in coarse] == [2.5]
        before = json.loads(ask(here, "chart_data", home, prior="2026-04-14T11:30:00Z"))
        assert [one["event_value"] for one in before] == [1, 2]


def test_a_chart_holds_its_data_and_remarks_if_they_are_wanted(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        here.believe(here.sensor(home, "power"), NOW, [1], NOW)
        say(here, NOW, ("asset", home))
        spec = ask(here, "chart", home, width="300", combine_legend="false")
        assert spec["datasets"] == {f"asset_{home}": []}
        assert (spec["vconcat"][0]["width"], spec["vconcat"][0]["height"]) == (300, 300)
        full = ask(here, "chart", home, include_data="true", dataset_name="d",
                   include_account_annotations="true", include_asset_annotations="true",
                   height="99")  # fmt: skip
        assert [one["event_value"] for one in full["datasets"]["d"]] == [1]
        assert [one["content"] for one in full["datasets"]["d_annotations"]] == [["a storm"]]
        assert full["vconcat"][0]["height"] == 99


def test_remarks_on_an_asset_and_its_account_are_told_once(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home = here.asset("home")
        say(here, NOW - timedelta(hours=1), ("asset", home), ("account", 1))
        (one,) = ask(here, "chart_annotations", home)
        start = int(NOW.timestamp() * 1000)
        assert (one.start, one.end, one.content) == (start, start + 3_600_000, ["a storm"])
        (whole,) = ask(here, "chart_annotations", home, clip="false")
        assert whole.start == start - 3_600_000
