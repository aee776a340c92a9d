from dataclasses import replace
from typing import Any

import pytest

from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Rejected
from flexedge.web.api.owned import defined_elsewhere, demand_free

OURS = Asset("bat", "battery", defined_as="battery", flex_model={"soc-max": "10 kWh"})


@pytest.mark.parametrize(
    "change",
    [{"name": "x"}, {"kind": "solar"}, {"parent_id": 3}, {"flex_model": {}}],
)
def test_what_the_site_file_defines_is_fixed(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refusal:
        demand_free(OURS, replace(OURS, **change))
    assert refusal.value.status == 403
    assert "site file" in str(refusal.value.told)


@pytest.mark.parametrize(
    "change", [{"description": "x"}, {"attributes": {"a": 1}}, {"sensors_to_show": [1]}]
)
def test_the_rest_is_free(change: dict[str, Any]) -> None:
    demand_free(OURS, replace(OURS, **change))
    demand_free(replace(OURS, defined_as=None), replace(OURS, defined_as=None, name="x"))


def test_a_refusal_says_where_it_is_defined() -> None:
    assert defined_elsewhere("It") == (
        "It is defined in the site file: change it there, and the gateway will follow."
    )


def test_the_place_of_the_site_is_fixed() -> None:
    site = Asset("Villa", "building", defined_as="", latitude=52.4)
    with pytest.raises(Rejected):
        demand_free(site, replace(site, latitude=5.0))
