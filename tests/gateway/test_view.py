import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from pydantic import TypeAdapter

from flexedge.domain import schedule
from flexedge.gateway import view

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
VALUES = [value for value in vars(view).values() if dataclasses.is_dataclass(value)]


def test_what_people_see_cannot_be_changed_by_whoever_looks() -> None:
    assert len(VALUES) == 14
    assert all(value.__dataclass_params__.frozen for value in VALUES)  # type: ignore[union-attr]


def test_every_outcome_of_a_write_has_a_name() -> None:
    outcomes = {outcome.__name__.lower() for outcome in get_args(schedule.Outcome)}
    assert outcomes == set(get_args(view.OutcomeName))


def test_a_status_goes_to_json_and_back() -> None:
    control = view.ControlView(-1.5, "clamped", True, "why", ("site limit",), NOW)
    adapter = TypeAdapter(view.ControlView)
    assert adapter.validate_json(adapter.dump_json(control)) == control


def test_a_real_status_is_json(hut: "Hut") -> None:
    world = hut("battery", "house")
    status = TypeAdapter(view.Status).dump_json(world.window().status())
    assert json.loads(status)["site"] == "Hut"
