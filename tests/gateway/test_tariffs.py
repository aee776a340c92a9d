from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from flexedge.config.prices import Prices
from flexedge.config.site import PriceSource
from flexedge.domain.asset import Sensor
from flexedge.gateway.tariffs import AHEAD, STEP, Tariffs
from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.local.archive import LocalArchive
from flexedge.store.rows import micros
from flexedge.store.state import State

NOW = datetime(2026, 4, 14, 12, 7, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ASKED = Asked((), NOW - AHEAD, NOW + 2 * AHEAD)
DAY = {"zones": [{"since": "07:00", "until": "23:00", "price": "0.30 EUR/kWh"}],
       "otherwise": "0.20 EUR/kWh"}  # fmt: skip


@pytest.fixture
def beliefs(tmp_path: Path) -> Beliefs:
    made = Beliefs(LocalArchive(tmp_path / "data", NOW), State(tmp_path / "state.db"))
    for name in ("import", "export"):
        made.register(Sensor(name, "EUR/kWh", STEP))
    return made


@pytest.fixture
def prices() -> Prices:
    sources = {"import": DAY, "export": {"fixed": "0.05 EUR/kWh"}}
    read = TypeAdapter(dict[str, PriceSource]).validate_python(sources)
    return Prices(read, ZoneInfo("Europe/Amsterdam"))


def test_prices_of_two_days_can_be_read(beliefs: Beliefs, prices: Prices) -> None:
    Tariffs(prices, beliefs).step(NOW)
    held = beliefs.ask(["import"], ASKED)
    first = datetime(2026, 4, 14, 12, tzinfo=UTC)
    assert held.event_us[0] == micros(first)
    assert len(held) == AHEAD / QUARTER + 1
    day = dict(zip(held.event_us.tolist(), held.value.tolist(), strict=True))
    assert day[micros(first.replace(hour=20, minute=45))] == 0.30
    assert day[micros(first.replace(hour=21))] == 0.20  # 23:00 on site
    assert set(beliefs.ask(["export"], ASKED).value.tolist()) == {0.05}


def test_what_is_known_already_is_not_kept_again(beliefs: Beliefs, prices: Prices) -> None:
    tariffs = Tariffs(prices, beliefs)
    tariffs.step(NOW)
    before = len(beliefs.ask(["import"], ASKED))
    tariffs.step(NOW + QUARTER)
    held = beliefs.ask(["import"], ASKED)
    assert len(held) == before + 1
    assert set(held.belief_us.tolist()) == {micros(NOW), micros(NOW + QUARTER)}
