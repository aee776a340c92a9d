from pathlib import Path

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.sync.believers import Believers
from tests.web.api.calls import NOW, QUARTER, Platform, platform


def save(here: Platform, number: int, kind: str) -> None:
    key = here.parts.state.sensors()[number].name
    series = Series.constant(TimeGrid(NOW, QUARTER, 4), 1.0)
    here.parts.beliefs.save([Belief(key, "ann", NOW, series)], Source("ann", kind))
    here.parts.beliefs.flush()


def test_kinds_are_those_of_what_came_in(tmp_path: Path) -> None:
    here = platform(tmp_path)
    power, soc = here.sensor("power"), here.sensor("soc", "kWh")
    believers = Believers(here.parts.beliefs, here.parts.state)
    assert believers.kinds() == {}
    save(here, power, "forecaster")
    assert believers.kinds() == {power: {"forecaster"}}
    save(here, power, "scheduler")
    save(here, soc, "user")
    both = {power: {"forecaster", "scheduler"}, soc: {"user"}}
    assert believers.kinds() == both
    assert believers.kinds() == both
    assert Believers(here.parts.beliefs, here.parts.state).kinds() == both
