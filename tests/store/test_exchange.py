from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Source
from flexedge.domain.belief import CODES, Quality
from flexedge.errors import StoreError
from flexedge.store.exchange import Format, Wanted, export, labels
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.rows import Beliefs, Readings
from tests.store.keeping import POWER, PRICE, SOURCE, fill
from tests.store.local.rows_made import NOW, SECOND, STAMP


@pytest.fixture
def archive(tmp_path: Path) -> LocalArchive:
    fill(tmp_path / "data")
    return LocalArchive(tmp_path / "data", NOW, Limits(beside=(tmp_path,)))


def lines(archive: LocalArchive, wanted: Wanted, target: Path) -> list[str]:
    n = export(archive, wanted, {1: SOURCE}, target, "csv")
    text = target.read_text(encoding="utf-8").splitlines()
    assert n == len(text) - 1
    return text


def test_readings_in_order_each_once(archive: LocalArchive, tmp_path: Path) -> None:
    again = Readings.of({"sensor": [1, 1], "event_us": [10 * SECOND, 10 * SECOND + 1],
                         "value": [7, np.nan], "quality": [0, CODES[Quality.MISSING]]})  # fmt: skip
    archive.commit(again, Beliefs.empty(), STAMP)
    text = lines(archive, Wanted(1, POWER), tmp_path / "it's.csv")
    assert len(text) == 1082
    assert text[:4] == [
        "event_start,value [kW],quality",
        "1970-01-01T00:00:00Z,0.0,good",
        "1970-01-01T00:00:10Z,7.0,good",
        "1970-01-01T00:00:10.000001Z,,missing",
    ]
    assert text[4:] == sorted(text[4:])


def test_beliefs_and_sums(archive: LocalArchive, tmp_path: Path) -> None:
    held = lines(archive, Wanted(2, PRICE, "beliefs", 0, 3_600 * SECOND), tmp_path / "b.csv")
    assert held == [
        "event_start,belief_time,source,probability,value [EUR/kWh]",
        "1970-01-01T00:00:00Z,1969-12-31T23:59:59Z,it's a forecaster,0.1,0.0",
        "1970-01-01T00:00:00Z,1969-12-31T23:59:59Z,it's a forecaster,0.5,0.0",
    ]
    sums = lines(archive, Wanted(1, POWER, "hours"), tmp_path / "h.csv")
    assert sums[0].startswith("event_start,count,mean [kW],least [kW]")
    assert sums[1].startswith("1970-01-01T00:00:00Z,360,224.375,0.0,448.75")
    (head,) = lines(archive, Wanted(9, POWER, "minutes"), tmp_path / "none.csv")
    assert head.endswith(",first [kW],last [kW],rise [kW],integral [kW s]")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_many_rows_go_some_days_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    monkeypatch.setattr("flexedge.store.exchange.AT_ONCE", 20_000)
    archive = LocalArchive(tmp_path / "data", NOW, Limits(beside=(tmp_path,)))
    at = np.arange(0, 9 * 86_400, 10)
    rows = Readings.of({"sensor": np.ones(len(at)), "event_us": at * SECOND, "value": at * 1.0,
                        "quality": np.zeros(len(at))})  # fmt: skip
    archive.commit(rows, Beliefs.empty(), STAMP)
    target = tmp_path / "all"
    assert export(archive, Wanted(1, POWER), {}, target, form) == len(at)
    engine = Engine(tmp_path, tmp_path, Limits())
    reader = "read_csv" if form == "csv" else "read_parquet"
    found = engine.run(f"select event_start, \"value [kW]\" from {reader}('{target}')")
    assert [value for _, value in sorted(found)] == at.tolist()
    moments = {one for one, _ in found}
    assert len(moments) == len(at)
    first = min(moments)
    assert isinstance(first, datetime)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_that_is_there_stays(archive: LocalArchive, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        export(archive, Wanted(1, POWER), {}, tmp_path / "a.csv", "csv")
    with pytest.raises(StoreError, match="No such file"):
        export(archive, Wanted(1, POWER), {}, tmp_path / "gone" / "a.csv", "csv")
    assert (tmp_path / "a.csv").read_text() == "mine"


def test_sources_of_one_name_are_told_apart() -> None:
    sources = {1: Source("a", "forecaster", "m", "2"), 2: Source("a", "scheduler"),
               3: Source("b", "reporter")}  # fmt: skip
    assert labels(sources) == {1: "a / forecaster / m / 2", 2: "a / scheduler", 3: "b"}
