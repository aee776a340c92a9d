"""A server as it is installed: it counts requests, and stores values in jobs.

The site lives by the wall clock, as the server does: so this is where it is seen to be well, and
where it falls silent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hil.gateway import Gateway
from hil.interop.centre import EMAIL, Centre, User
from hil.interop.conftest import house_at
from hil.interop.story import HOUR, House, assets_of
from hil.waiting import eventually

pytestmark = pytest.mark.interop
_SOON_S = 240.0
_UNSEEN_MIN = 2
_CHECK = ("monitor", "last-seen", "--maximum-minutes-since-last-seen", str(_UNSEEN_MIN),
          "--all-absent-users")  # fmt: skip


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house and a server with FlexMeasures' usual limits and an ingestion worker."""
    folder = tmp_path_factory.mktemp("strict")
    centre = Centre(folder / "centre", limits=True)
    (folder / "house").mkdir()
    yield from house_at(centre, folder / "house")
    centre.close()


@pytest.fixture(scope="module")
def linked(strict: House) -> Iterator[Gateway]:
    """The site lives by the wall clock."""
    with strict.lives(send_every="1 min", plans_every="0 min") as gateway:
        strict.market.tell(gateway.api.now() - 24 * HOUR, 96)
        strict.link("--yes")
        yield gateway


def test_it_keeps_in_step_and_is_never_told_to_wait(strict: House, linked: Gateway) -> None:
    eventually(linked.api.up, _SOON_S)
    until = linked.api.now() + timedelta(minutes=3)

    def lived() -> None:
        standing = strict.sync()
        assert "429" not in standing["why"], standing["why"]
        assert linked.api.now() >= until

    eventually(lived, _SOON_S)
    strict.command("sync", "now")
    eventually(strict.in_step, _SOON_S)
    print(strict.command("sync", "status"))
    minutes = (linked.api.now() - datetime.fromisoformat(strict.sync()["linked"])).seconds / 60
    assert strict.sync()["requests"] < 500 * minutes


@pytest.mark.usefixtures("linked")
def test_the_centres_own_status_page_is_green(strict: House) -> None:
    """But for what the site itself knows nothing of yet: a meter's energy takes two polls of it."""
    user = strict.market.user
    site = assets_of(user)["Test bench"]

    def green() -> list[str]:
        listed = f"/api/v3_0/assets/{site['id']}/sensors"
        sensors = user.ask("GET", listed, page=1, per_page=100)["data"]
        told = {one["id"]: _status(user, one) for one in sensors}
        unknown = {one["central_id"] for one in strict.sync()["sensors"] if not one["newest_here"]}
        stale = [line for number, (line, red) in told.items() if red and number not in unknown]
        assert not stale, stale
        return [line for line, _ in told.values()]

    lines = eventually(green, _SOON_S)
    print("\n".join(lines))
    assert {line.partition(":")[0] for line in lines} >= {"grid.power", "gateway heartbeat"}


def _status(user: User, sensor: dict[str, Any]) -> tuple[str, bool]:
    answer = user.ask("GET", f"/api/v3_0/sensors/{sensor['id']}/status")
    rows = answer["sensors_data"]
    lines = [f"{sensor['name']}: {row['reason']}" for row in rows]
    return "; ".join(lines), any(row["stale"] for row in rows)


@pytest.mark.usefixtures("linked")
def test_the_centre_tells_who_fell_silent(strict: House) -> None:
    assert "All good" in strict.centre.cli(*_CHECK, codes=(1,))
    assert strict.gateway is not None
    strict.gateway.crash()

    def told() -> str:
        said = strict.centre.cli(*_CHECK, codes=(0, 1))
        assert "have not contacted this FlexMeasures server" in said, said
        return said

    said = eventually(told, _SOON_S)
    print(said)
    assert EMAIL.partition("@")[0] in said
