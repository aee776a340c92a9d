"""In real time: however a centre fails to answer, devices are read and told as if it were well."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from hil.api import FAST
from hil.interop.proxy import WELL, Fault, canned
from hil.interop.road import Road, make_road
from hil.pace import Pace, disturbed, watch
from hil.waiting import eventually

pytestmark = pytest.mark.interop
WINDOW_S = 8.0
_SOON_S = 60.0
_SAID = {"Content_Type": "application/json", "FlexMeasures_Version": "1.0.1"}
ROADS = {
    "well": WELL,
    "mute": Fault("mute"),
    "drip": Fault("drip", seconds=0.02),
    "cut": Fault("cut", n=9),
    "down": canned(503, b"{}", **_SAID),
    "locked": canned(401, b"{}", **_SAID),
    "huge": canned(200, b" " * 6_000_000, **_SAID),
}


@dataclass(frozen=True)
class Calm:
    """A linked gateway, and its pace when all is well and nothing is asked of the centre."""

    road: Road
    pace: Pace


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    with ExitStack() as stack:
        road = make_road(stack, tmp_path_factory.mktemp("calm"))
        yield Calm(road, watch(road.gateway.api, WINDOW_S))


@pytest.mark.parametrize("what", ROADS)
def test_devices_are_read_and_told_as_ever(calm: Calm, what: str) -> None:
    api, proxy = calm.road.gateway.api, calm.road.proxy
    with proxy.always(ROADS[what]):
        before = proxy.exchanges.total()
        calm.road.command("sync", "now")
        eventually(lambda: _asked(proxy.exchanges.total(), before), _SOON_S)
        begun = api.now()
        pace = watch(api, WINDOW_S)
        assert disturbed(calm.pace, pace, set(FAST)) == {}
        eventually(lambda: api.obeyed("battery", after=begun), _SOON_S)
    assert api.errors() == 0


def _asked(exchanges: int, before: int) -> None:
    assert exchanges > before, "the centre was not asked anything"
