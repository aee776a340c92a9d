"""A bad road to the centre: nothing is lost on it, nothing arrives twice, and nobody on site waits.

The centre is another flexedge, which answers as FlexMeasures does and is up in seconds. The site
lives an hour in a minute, so that what is told in minutes is there in seconds.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from hil.interop.proxy import WELL, Fault, canned
from hil.interop.road import PATIENCE_S, Road, full, make_road
from hil.interop.sides import Row
from hil.interop.story import utc_now
from hil.waiting import eventually

pytestmark = pytest.mark.interop
SPEED = 60
_SOON_S = 60.0
_PORTAL = b"<html><body>Welcome to the hotel. Please log in.</body></html>"


def posts(request: bytes) -> bool:
    """Whether it brings values."""
    first = request.split(b"\r\n", 1)[0].split(b" ")
    return first[0] == b"POST" and first[1].endswith(b"/data")


def brings_several(request: bytes) -> bool:
    """Whether it brings more than one value: of one that is refused alone the rest is nothing."""
    if not posts(request):
        return False
    values = json.loads(request.partition(b"\r\n\r\n")[2])["values"]
    return len(values) > 1


def _mixed(faults: Iterable[Fault], well: int = 3) -> list[Fault]:
    """With one exchange that goes well after so many that do not."""
    mixed: list[Fault] = []
    for n, fault in enumerate(faults, start=1):
        mixed.append(fault)
        mixed += [replace(WELL, fits=fault.fits)] * (n % well == 0)
    return mixed


def _said(status: int, **headers: str) -> Fault:
    """A server's own refusal of values."""
    body = json.dumps({"status": "NO", "message": "not now"}).encode()
    told = {"Content_Type": "application/json", "FlexMeasures_Version": "1.0.1", **headers}
    return replace(canned(status, body, **told), fits=brings_several)


_HTML = {"Content_Type": "text/html"}
_ODD = [
    canned(200, _PORTAL, **_HTML),
    canned(302, b"", Location="http://login.example.com/"),
    canned(301, b"", Location="https://127.0.0.1:9/api/"),
    canned(511, _PORTAL, **_HTML),
    canned(404, _PORTAL, **_HTML),
    canned(200, b"", Content_Type="application/json"),
    canned(200, b'{"status": "PROC', Content_Type="application/json"),
    canned(200, b"[1, 2]", Content_Type="application/json"),
    canned(200, b" " * 6_000_000, Content_Type="application/json"),
    canned(502, b"<html>Bad gateway</html>", **_HTML),
    Fault("answer", answer=b"SSH-2.0-OpenSSH_9.2\r\n"),
    Fault("answer", answer=b""),
]
_FAULTS: dict[str, list[Fault]] = {
    "broken": [
        *(Fault("cut", n=n) for n in range(1, 1200, 47)),
        *(Fault("torn", n=n) for n in range(1, 1200, 61)),
        *[Fault("lost"), Fault("half")] * 10,
    ],
    "slow": [
        *[Fault("late", seconds=2.0)] * 3,
        *(Fault("drip", seconds=seconds) for seconds in (0.004, 0.004, 0.5)),
        *[Fault("mute")] * 2,
    ],
    "odd": _ODD,
    "failing": [
        *(_said(status) for status in (500, 502, 503, 504, 408, 429)),
        _said(429, Retry_After="30"), _said(503, Retry_After="20"),
    ],
    "unwilling": [
        *(_said(status) for status in (400, 422, 400, 422, 413)),
        replace(canned(413, _PORTAL, **_HTML), fits=brings_several),
    ],
    "forbidding": [_said(status) for status in (401, 401, 403, 409, 404)],
    "an hour off": [
        *[Fault("dated", seconds=3600.0)] * 30, *[Fault("dated", seconds=-3600.0)] * 30,
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """Begins half a day before now, and ends before that is over."""
    begin = utc_now() - timedelta(hours=20)
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("road")
        yield make_road(stack, folder, "--speed", str(SPEED), "--start", str(begin.timestamp()))


def arrives(road: Road) -> list[Row]:
    """What was known until now is at the centre soon, all of it, once."""
    end = full(road.gateway.api.now())
    road.command("sync", "now")
    return eventually(lambda: road.same(end), PATIENCE_S)


def test_an_answer_is_cut_off_at_every_byte(road: Road) -> None:
    eventually(lambda: road.proxy.sizes["data"], _SOON_S)
    cuts = [Fault("cut", n=n, fits=posts) for n in range(road.proxy.sizes["data"])]
    assert len(cuts) > 200
    road.proxy.next(_mixed(cuts))
    road.proxy.used_up(PATIENCE_S)
    assert road.proxy.exchanges["cut"] == len(cuts)
    assert sum(row.theirs for row in arrives(road)) > 500


@pytest.mark.parametrize("what", _FAULTS)
def test_what_the_road_does_loses_nothing_and_doubles_nothing(road: Road, what: str) -> None:
    road.proxy.next(_mixed(_FAULTS[what]))
    road.proxy.used_up(PATIENCE_S)
    arrives(road)


def test_a_token_that_ends_is_renewed(road: Road) -> None:
    kept = json.loads((road.gateway.api.data / "centres/main.json").read_text(encoding="utf-8"))
    answer = requests.post(
        f"{road.centre.url}/api/revokeAuthToken", headers={"Authorization": kept["token"]},
        timeout=20,
    )  # fmt: skip
    assert answer.ok, answer.text
    arrives(road)
    now = json.loads((road.gateway.api.data / "centres/main.json").read_text(encoding="utf-8"))
    assert now["token"] != kept["token"]


def test_the_centre_is_killed_and_comes_back(road: Road) -> None:
    road.centre.kill()
    road.gateway.api.wait(1800, PATIENCE_S)
    assert road.standing()["contact"] == "away"
    road.centre.start_up()
    arrives(road)


def test_nothing_is_refused_by_mistake_and_nothing_went_wrong_on_site(road: Road) -> None:
    for row in arrives(road):
        print(row)
    standing = road.standing()
    print(standing["words"], dict(road.proxy.exchanges))
    assert standing["refused"] == 0
    assert road.gateway.api.errors() == 0
    assert road.gateway.program.alive
    eventually(road.gateway.api.up, _SOON_S)
