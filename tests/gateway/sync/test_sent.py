from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flexedge.gateway.sync import sent
from flexedge.store.tables.centres import Link

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
LINK = Link(1, "asset", 7, 107)
OURS: dict[str, Any] = {
    "name": "Battery", "description": None, "latitude": 52.37, "sensors_to_show": [],
    "flex_model": {"soc-min": "1 kWh", "soc-max": "10 kWh"}, "attributes": {"color": "red"},
}  # fmt: skip


def linked(ours: dict[str, Any] = OURS) -> Link:
    """A link after all that is ours was sent."""
    now = sent.flat(ours)
    return sent.noted(LINK, now, now, now, {})


def test_settings_are_flat_and_what_is_empty_is_none() -> None:
    assert sent.flat(OURS | {"id": 7, "flex_context": {"x": None}}) == {
        "name": "Battery", "latitude": 52.37, "flex_model.soc-min": "1 kWh",
        "flex_model.soc-max": "10 kWh", "attributes.color": "red",
    }  # fmt: skip


def test_at_first_flexibility_is_ours_and_a_name_stays() -> None:
    theirs = sent.flat(
        {"name": "Accu", "flex_model": {"soc-min": "2 kWh", "soc-max": "10 kWh", "own": 1}}
    )
    found = sent.difference(LINK, theirs, sent.flat(OURS))
    assert found.send == {
        "attributes.color": "red", "flex_model.soc-min": "1 kWh", "latitude": 52.37
    }  # fmt: skip
    assert found.there == ("flex_model.soc-max", "name")
    assert found.edited == ()


def test_what_changed_here_is_sent_unless_it_was_edited_there() -> None:
    now = sent.flat(
        OURS | {"name": "Cellar", "flex_model": {"soc-min": "3 kWh", "soc-max": "9 kWh"},
                "attributes": {"size": 3}}
    )  # fmt: skip
    theirs = dict(sent.flat(OURS)) | {"flex_model.soc-min": "2 kWh", "attributes.size": 3}
    assert sent.changed(linked(), now) == [
        "attributes.color", "attributes.size", "flex_model.soc-max", "flex_model.soc-min", "name"
    ]  # fmt: skip
    found = sent.difference(linked(), theirs, now)
    assert found.send == {
        "attributes.color": None, "flex_model.soc-max": "9 kWh", "name": "Cellar"
    }  # fmt: skip
    assert found.there == ("attributes.size",)
    assert found.edited == ("flex_model.soc-min",)


def test_what_is_sent_keeps_what_others_put_there() -> None:
    asset = {"attributes": {"color": "red", "theirs": [1]}, "flex_model": None, "description": "x"}
    changes = {"attributes.color": None, "flex_model.soc-min": "1 kWh", "sensors_to_show": None,
               "description": None, "name": "New"}  # fmt: skip
    assert sent.body(asset, changes) == {
        "attributes": {"theirs": [1]}, "flex_model": {"soc-min": "1 kWh"}, "sensors_to_show": [],
        "description": None, "name": "New",
    }  # fmt: skip
    assert asset["attributes"] == {"color": "red", "theirs": [1]}


def test_only_what_was_settled_is_noted() -> None:
    now = dict(sent.flat(OURS)) | {"flex_model.soc-min": "3 kWh", "name": "Cellar"}
    shown = dict(now) | {"flex_model.soc-min": "2 kWh", "latitude": 1.0}
    link = sent.noted(linked(), ["name"], now, shown, {})
    assert sent.ours_of(link)["name"] == sent.sent_of(link)["name"] == "Cellar"
    assert sent.sent_of(link)["flex_model.soc-min"] == "1 kWh"
    assert sent.sent_of(link)["latitude"] == 52.37
    assert sent.changed(link, now) == ["flex_model.soc-min"]


def test_what_was_refused_is_not_sent_before_it_changes() -> None:
    now = dict(sent.flat(OURS)) | {"flex_model.what": 1}
    link = sent.noted(
        linked(), ["flex_model.what"], now, sent.flat(OURS), {"flex_model.what": "No"}
    )
    assert sent.changed(link, now) == []
    assert sent.refused_of(link) == {"flex_model.what": "No"}
    later = now | {"flex_model.what": 2}
    assert sent.changed(link, later) == ["flex_model.what"]
    settled = sent.noted(link, ["flex_model.what"], later, later, {})
    assert sent.refused_of(settled) == {}
    assert sent.refused_of(sent.noted(link, [], sent.flat(OURS), now, {})) == {}


def test_what_is_gone_is_so_since_it_was_noticed() -> None:
    link = sent.gone(linked(), NOW)
    assert sent.is_gone(link)
    assert not sent.is_gone(linked())
    assert sent.gone(link, NOW.replace(year=2030)) == link
    assert sent.described(link, {"a": 1}) == replace(LINK, details={"a": 1})
