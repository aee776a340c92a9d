"""A server as it is installed: it counts requests, and stores values in jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from hil.gateway import Gateway
from hil.interop.centre import Centre
from hil.interop.conftest import house_at
from hil.interop.story import HOUR, House
from hil.waiting import eventually

pytestmark = pytest.mark.interop
_SOON_S = 240.0


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
    with strict.lives(send_every="1 min") as gateway:
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
