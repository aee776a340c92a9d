import os
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flexedge.config.prices import Prices, read_price_file
from flexedge.config.site import FilePrice, FixedPrice, PriceSource, ZonedPrice
from flexedge.domain.series import TimeGrid
from flexedge.errors import ConfigError

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = timedelta(hours=1)


def prices(**sources: PriceSource) -> Prices:
    return Prices(sources, AMSTERDAM)


def zoned(*zones: tuple[str, str, float], otherwise: float, days: list[str] | None = None
          ) -> ZonedPrice:  # fmt: skip
    extra = {} if days is None else {"days": days}
    return ZonedPrice.model_validate(
        {
            "zones": [
                {"since": since, "until": until, "price": f"{value} EUR/kWh"} | extra
                for since, until, value in zones
            ],
            "otherwise": f"{otherwise} EUR/kWh",
        }
    )


def local_day(day: int, month: int = 4) -> TimeGrid:
    start = datetime(2026, month, day, tzinfo=AMSTERDAM)
    end = (start + timedelta(days=1)).replace(tzinfo=AMSTERDAM)
    return TimeGrid.covering(start.astimezone(UTC), end.astimezone(UTC), HOUR)


def test_a_fixed_price_is_the_same_always() -> None:
    book = prices(buy=FixedPrice(fixed="290 EUR/MWh"))
    assert book.series("buy", local_day(14)).values.tolist() == pytest.approx([0.29] * 24)


def test_zones_follow_the_local_clock_and_may_cross_midnight() -> None:
    night = zoned(("23:00", "07:00", 0.2), ("17:00", "20:00", 0.5), otherwise=0.3)
    values = prices(buy=night).series("buy", local_day(14)).values
    assert values[:7].tolist() == [0.2] * 7
    assert values[7:17].tolist() == [0.3] * 10
    assert values[17:20].tolist() == [0.5] * 3
    assert values[23] == 0.2


def test_a_zone_until_midnight_ends_there() -> None:
    evening = zoned(("22:00", "00:00", 0.1), otherwise=0.3)
    values = prices(buy=evening).series("buy", local_day(14)).values
    assert values[0] == 0.3
    assert values[22:].tolist() == [0.1, 0.1]


def test_the_early_hours_belong_to_the_day_the_zone_began() -> None:
    monday = zoned(("22:00", "06:00", 0.1), otherwise=0.3, days=["mon"])
    book = prices(buy=monday)
    assert book.series("buy", local_day(13)).values[:6].tolist() == [0.3] * 6  # a Monday
    assert book.series("buy", local_day(13)).values[22:].tolist() == [0.1] * 2
    assert book.series("buy", local_day(14)).values[:6].tolist() == [0.1] * 6


def test_days_of_23_and_25_hours() -> None:
    book = prices(buy=zoned(("00:00", "06:00", 0.1), otherwise=0.3))
    spring, autumn = local_day(29, month=3), local_day(25, month=10)
    assert (spring.n, autumn.n) == (23, 25)
    assert (book.series("buy", spring).values == 0.1).sum() == 5
    assert (book.series("buy", autumn).values == 0.1).sum() == 7


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "day-ahead.csv"
    path.write_text("start,value\n2026-04-14T00:00+02:00,100\n2026-04-14T01:00+02:00,-20\n")
    source = FilePrice.model_validate(
        {"file": str(path), "unit": "EUR/MWh", "factor": 1.2, "add": "0.1 EUR/kWh"}
    )
    book = prices(buy=source)
    assert book.changed()
    assert not book.changed()
    values = book.series("buy", local_day(14)).values
    assert values[:2].tolist() == pytest.approx([0.1 * 1.2 + 0.1, -0.02 * 1.2 + 0.1])
    assert np.isnan(values[2:]).all()
    path.write_text("start,value\n2026-04-14T00:00+02:00,200\n")
    os.utime(path, ns=(1, 1))
    assert book.changed()
    assert book.series("buy", local_day(14)).values[0] == pytest.approx(0.34)


def test_a_broken_file_leaves_the_last_prices_in_use(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("start,value\n2026-04-14T00:00+02:00,0.3\n")
    source = FilePrice.model_validate({"file": str(path), "unit": "EUR/kWh"})
    book = prices(buy=source)
    book.changed()
    path.write_text("start,value\n2026-04-14T00:00+02:00,cheap\n")
    assert not book.changed()
    assert "p.csv:2" in book.problems["buy"]
    assert book.series("buy", local_day(14)).values[0] == pytest.approx(0.3)
    path.unlink()
    assert not book.changed()
    assert "No such file" in book.problems["buy"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "start,value"),
        ("time,price\n", "start,value"),
        ("start,value\n", "no prices"),
        ("start,value\n2026-04-14T00:00,1\n", "no offset"),
        ("start,value\n2026-04-14T00:00Z,nan\n", "finite"),
        ("start,value\n2026-04-14T01:00Z,1\n2026-04-14T00:00Z,1\n", "order"),
        ("start,value\n2026-04-14T01:00Z\n", "range"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=complaint):
        read_price_file(path)


def test_quarter_hours_and_gaps(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("start,value\n2026-04-14T00:00Z,1\n2026-04-14T00:15Z,2\n2026-04-14T04:00Z,3\n")
    series = read_price_file(path)
    assert series.grid.resolution == timedelta(minutes=15)
    assert series.values[:5].tolist() == [1, 2, 2, 2, 2]
    assert np.isnan(series.values[5:16]).all()
    assert series.values[16:].tolist() == [3, 3, 3, 3]


@given(
    zone=st.sampled_from(sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})),
    day=st.dates(date(2020, 1, 1), date(2040, 12, 31)),
)
@example(zone="Australia/Lord_Howe", day=date(2026, 4, 5))
@example(zone="Europe/Amsterdam", day=date(2026, 3, 29))
@example(zone="Europe/Amsterdam", day=date(2026, 10, 25))
@example(zone="Pacific/Apia", day=date(2038, 1, 19))
def test_a_day_of_any_zone_has_all_its_quarter_hours_at_the_price_of_its_clock(
    zone: str, day: date
) -> None:
    place = ZoneInfo(zone)
    start, end = (
        datetime(one.year, one.month, one.day, tzinfo=place).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    grid = TimeGrid.covering(start, end, timedelta(minutes=15))
    book = Prices({"buy": zoned(("02:00", "06:30", 0.1), otherwise=0.3)}, place)
    values = book.series("buy", grid).values
    assert grid.n == (end - start) // timedelta(minutes=15)
    cheap = [(2, 0) <= (at.hour, at.minute) < (6, 30)
             for at in (moment.astimezone(place) for moment in grid.times())]  # fmt: skip
    assert values.tolist() == [0.1 if one else 0.3 for one in cheap]
