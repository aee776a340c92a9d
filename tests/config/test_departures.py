"""What must hold of that which goes to central servers."""

from pathlib import Path

import pytest

from flexedge.config.check import load_site
from flexedge.errors import ConfigError

HOME = (Path(__file__).parents[2] / "config" / "home.yaml").read_text()
NEXT = HOME.count("\n") + 1


def said(folder: Path, centre: str, home: str = HOME) -> list[str]:
    path = folder / "site.yaml"
    path.write_text(f"{home}centres: {{main: {{{centre}}}}}\n")
    try:
        load_site(path)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "centre",
    [
        "sensors: {battery.soc: {send: false}, import: {resolution: 1 h}}",
        "sensors: {battery.dispatched: {send: false}, house.power: {resolution: 15 min}}",
        "sensors: {7/power~2: {resolution: 15 min}}",
        "scopes: [edits], accept: {flex-model: [soc-min], confirm-within: 5 min}",
        "scopes: [commands], accept: {commands: [override]}",
        "scopes: [readings]",
    ],
)
def test_what_holds(tmp_path: Path, centre: str) -> None:
    assert said(tmp_path, centre) == []


@pytest.mark.parametrize(
    ("centre", "told"),
    [
        ("sensors: {batery.soc: {send: false}}",
         f"{NEXT}:28: there is no sensor 'batery.soc'; did you mean 'battery.soc'?"),
        ("sensors: {/power: {send: false}}",
         f"{NEXT}:28: there is no sensor '/power'; did you mean 'car.power'?"),
        ("scopes: [readings], accept: {flex-model: [soc-min]}",
         f"{NEXT}:47: nothing of it is accepted: add edits to the scopes of 'main'"),
        ("scopes: [edits], accept: {commands: [limit]}",
         f"{NEXT}:44: nothing of it is accepted: add commands to the scopes of 'main'"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(tmp_path: Path, centre: str, told: str) -> None:
    assert said(tmp_path, centre) == [told]


@pytest.mark.parametrize(
    ("centre", "problems"),
    [("", 0), ("scopes: [plans]", 0), ("scopes: [readings, data]", 1)],
)
def test_who_plans_elsewhere_needs_a_centre_that_does(
    tmp_path: Path, centre: str, problems: int
) -> None:
    head, battery, tail = HOME.partition("  battery:\n    type: battery\n")
    found = said(tmp_path, centre, f"{head}{battery}    planner: central\n{tail}")
    assert len(found) == problems
    assert all("14: no centre plans: add plans to the scopes of one" in one for one in found)
