from dataclasses import replace

from flexedge.gateway.service.changes import changes
from flexedge.store.tables.assets import Asset

SITE = Asset("site", "building", attributes={"a": 1},
             flex_context={"x": [{"sensor": 1}, "5 kW"], "y": {"z": 1}})  # fmt: skip


def test_nothing_is_said_of_what_stays() -> None:
    assert changes(SITE, replace(SITE)) == []


def test_each_field_is_said() -> None:
    after = replace(SITE, name="house", latitude=5.0, attributes={"a": None, "b": 2})
    assert changes(SITE, after) == [
        "Updated: name, From: site, To: house",
        "Updated: latitude, From: None, To: 5.0",
        "Updated Attr: a, From: 1, To: None",
        "Updated Attr: b, From: None, To: 2",
    ]


def test_json_is_compared_place_by_place() -> None:
    after = replace(SITE, flex_context={"x": [{"sensor": 2}], "w": 3}, sensors_to_show=[1])
    assert changes(SITE, after) == [
        (
            "Updated flex_context:\n1. Added w: 3\n2. Changed x[0].sensor: 1 → 2\n"
            "3. Removed x[1] (was: 5 kW)\n4. Removed y (was: {'z': 1})"
        ),
        "Updated sensors_to_show:\n1. Added [0]: 1",
    ]
