import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flexedge.domain.asset import Source
from flexedge.errors import StoreError
from flexedge.gateway.received import origin
from flexedge.gateway.sync.outbox import LIVE, Order, Portion, Waiting
from flexedge.store.archive import Since, Stretch
from flexedge.store.rows import moment
from flexedge.store.tables.cursors import Cursor
from tests.gateway.sync.site_made import CENTRE, MEASURED, MINUTE, Site
from tests.store.local.rows_made import NOW

FORECAST, PLANNED = Source("flexedge-forecast", "forecaster"), Source("flexedge", "scheduler")
ANN = Source("ann", "user")
BOTH: tuple[Order, ...] = ("newest-first", "oldest-first")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    yield site
    site.close()


def told(portion: Portion | None) -> list[float]:
    assert portion is not None
    return [float(one) for one in portion.rows.value]


def test_what_is_new_comes_first_then_the_rest_in_the_order_asked_for(site: Site) -> None:
    site.say(10)
    link = site.link()
    live = site.outbox.live(link, 2)
    assert (told(live), live is not None and live.live) == ([8, 9], True)
    assert site.outbox.live(link, 2) is None
    site.say(1, 10)
    assert told(site.outbox.next(link, "newest-first", 3)) == [10]
    newest = site.outbox.next(link, "newest-first", 3)
    assert (told(newest), newest is not None and newest.live) == ([5, 6, 7], False)
    assert told(site.outbox.backfill(link, "oldest-first", 3)) == [0, 1, 2]
    assert told(site.outbox.backfill(link, "oldest-first", 3)) == [3, 4]
    assert site.outbox.next(link, "newest-first", 3) is None


def test_no_more_than_some_rows_are_live(site: Site) -> None:
    whole = site.say(LIVE + 5)
    assert told(site.outbox.next(site.link(), "newest-first", 10_000)) == whole[5:]
    assert told(site.outbox.next(site.link(), "newest-first", 10_000)) == whole[:5]


def test_each_role_is_sent_what_its_kinds_of_source_believe(site: Site) -> None:
    for start, source in enumerate((MEASURED, FORECAST, PLANNED, ANN, origin(CENTRE),
                                    origin("other"))):  # fmt: skip
        site.say(1, start, source)
    site.say(1, 9, price=True)
    found = {role: told(site.outbox.next(site.link(role), "newest-first", 99))
             for role in ("", "forecast", "schedule", "outcome")}  # fmt: skip
    assert found == {"": [0, 3, 5], "forecast": [1], "schedule": [2], "outcome": [0, 3, 5]}


def test_what_arrived_is_not_sent_again_after_a_restart(site: Site) -> None:
    site.say(6)
    first = site.outbox.next(site.link(), "oldest-first", 2)
    second = site.outbox.next(site.link(), "oldest-first", 2)
    assert first is not None
    assert second is not None
    assert told(first) + told(second) == [4, 5, 0, 1]
    site.outbox.arrived([second])
    again = site.again()
    left = [told(again.outbox.next(again.link(), "newest-first", 2)) for _ in range(2)]
    assert left == [[4, 5], [2, 3]]
    assert again.outbox.next(again.link(), "oldest-first", 2) is None
    once_more = again.again()
    portions = [once_more.outbox.next(once_more.link(), "oldest-first", 9) for _ in range(2)]
    once_more.outbox.arrived([one for one in portions if one is not None])
    last = once_more.again()
    assert last.outbox.next(last.link(), "oldest-first", 9) is None
    assert last.state.cursors.of("1/") == {last.power: Cursor(last.archive.top())}
    last.close()


def test_several_arrive_with_one_commit(site: Site) -> None:
    site.say(3)
    site.say(3, 0, FORECAST)
    links = [site.link(), site.link("forecast")]
    portions = [site.outbox.next(link, "newest-first", 9) for link in links]
    before = site.state.changes
    site.outbox.arrived([one for one in portions if one is not None])
    assert site.state.changes == before + 1
    assert site.state.cursors.of("1/forecast") == site.state.cursors.of("1/")
    site.outbox.arrived([])
    assert site.state.changes == before + 1


def test_what_did_not_arrive_is_backfill(site: Site) -> None:
    site.say(4)
    portion = site.outbox.live(site.link())
    assert portion is not None
    site.outbox.back([portion])
    site.outbox.back([portion])
    assert site.outbox.live(site.link()) is None
    assert told(site.outbox.backfill(site.link(), "newest-first", 9)) == [0, 1, 2, 3]
    site.outbox.arrived([portion])
    assert site.state.cursors.of("1/") == {}, "it was not under way any more"


def test_where_nothing_came_nothing_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.say(3)
    link, other = site.link(), site.link(price=True)
    for one in (link, other):
        assert (site.outbox.next(one, "newest-first", 9) is None) == (one is other)
    asked: list[int] = []
    since = site.archive.since

    def counted(ask: Since) -> Stretch:
        asked.append(ask.sensor)
        return since(ask)

    monkeypatch.setattr(site.archive, "since", counted)
    for step in range(3):
        site.say(1, step, ANN, price=True)
        assert site.outbox.next(link, "newest-first", 9) is None
        assert told(site.outbox.next(other, "newest-first", 9)) == [step]
        site.say(1, step, FORECAST)
        assert site.outbox.next(link, "newest-first", 9) is None
    assert set(asked) == {site.price}
    site.say(1, 7)
    assert told(site.outbox.next(link, "newest-first", 9)) == [7]


def test_what_waits_is_counted_and_dated(site: Site) -> None:
    link = site.link()
    assert site.outbox.waiting(link)[0] == Waiting()
    site.say(6)
    site.say(2, 50, FORECAST)
    assert site.outbox.waiting(link)[0] == Waiting(6, moment(0), moment(5 * MINUTE))
    live = site.outbox.live(link, 2)
    assert live is not None
    assert site.outbox.waiting(link)[0].count == 6, "what is under way has not arrived"
    site.outbox.arrived([live])
    left = Waiting(4, moment(0), moment(3 * MINUTE), moment(5 * MINUTE))
    assert site.outbox.waiting(link)[0] == left
    rest = site.outbox.backfill(link, "newest-first", 9)
    assert rest is not None
    site.outbox.arrived([rest])
    assert site.outbox.waiting(link)[0] == Waiting(newest_there=moment(5 * MINUTE))


def test_a_sensor_that_was_made_anew_there_is_sent_all_again(site: Site) -> None:
    whole, link = site.say(3), site.link()
    portion = site.outbox.next(link, "newest-first", 9)
    assert portion is not None
    site.outbox.forget(link)
    assert told(site.outbox.next(link, "newest-first", 9)) == whole
    site.outbox.arrived([portion])
    assert site.state.cursors.of("1/") == {}, "that was of the sensor that is gone"
    site.state.cursors.forget("1/", site.power)
    assert told(site.outbox.next(replace(link, central_id=18), "newest-first", 9)) == whole


def test_an_archive_that_began_anew_is_sent_whole(site: Site) -> None:
    site.say(20)
    first = site.outbox.next(site.link(), "newest-first", 99)
    assert first is not None
    site.outbox.arrived([first])
    site.close()
    for path in site.folder.glob("journal.db*"):
        path.unlink()
    shutil.rmtree(site.folder / "history")
    again = Site(site.folder)
    again.say(3)
    assert told(again.outbox.next(again.link(), "newest-first", 99)) == [0, 1, 2]
    again.close()


def test_an_archive_that_was_put_back_is_sent_whole(site: Site, tmp_path: Path) -> None:
    site.say(2)
    site.archive.close()
    shutil.copytree(site.folder, tmp_path / "older")
    later = site.again()
    later.say(2, 2)
    portion = later.outbox.next(later.link(), "newest-first", 99)
    assert portion is not None
    later.outbox.arrived([portion])
    later.close()
    for name in ("journal.db", "journal.db-mark"):
        shutil.copy(tmp_path / "older" / name, later.folder / name)
    again = Site(later.folder)
    assert told(again.outbox.next(again.link(), "newest-first", 99)) == [0, 1]
    again = again.again()  # none of it arrived; the numbers of old are given anew meanwhile
    for start in (2, 4, 6):
        again.say(2, start)
    again = again.again()
    assert told(again.outbox.next(again.link(), "newest-first", 99)) == [*range(8)]
    again.close()


def test_what_cannot_be_noted_is_sent_again_after_a_restart_only(site: Site) -> None:
    whole = site.say(3)
    portion = site.outbox.next(site.link(), "newest-first", 9)
    assert portion is not None
    site.state.close()
    site.state._database.engine.dispose()
    shutil.move(site.folder / "state.db", site.folder / "away")
    (site.folder / "state.db").mkdir()
    with pytest.raises(StoreError):
        site.outbox.arrived([portion])
    (site.folder / "state.db").rmdir()
    shutil.move(site.folder / "away", site.folder / "state.db")
    assert site.outbox.next(site.link(), "newest-first", 9) is None
    again = site.again()
    assert told(again.outbox.next(again.link(), "newest-first", 9)) == whole
    again.close()


class Traffic:
    """Says, sends and breaks at random; ``there``: how often each value came to the centre."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.site = Site(folder)
        self.said: dict[str, list[float]] = {"": [], "forecast": []}
        self.there: dict[str, Counter[float]] = {role: Counter() for role in self.said}
        self.under_way: list[Portion] = []
        self.cut = False

    def some(self) -> int:
        return int(self.chance.integers(1, 30))

    def say(self, role: str) -> None:
        start, source = len(self.said[role]), FORECAST if role else MEASURED
        self.said[role] += self.site.say(self.some(), start, source)

    def send(self, role: str) -> None:
        order = BOTH[int(self.chance.integers(2))]
        portion = self.site.outbox.next(self.site.link(role), order, self.some())
        if portion is not None:
            self.under_way.append(portion)
            self.there[role].update(portion.rows.value.tolist())

    def arrive(self, _role: str) -> None:
        self.chance.shuffle(self.under_way)
        n = min(self.some(), len(self.under_way))
        self.site.outbox.arrived(self.under_way[:n])
        del self.under_way[:n]

    def give_back(self, role: str) -> None:
        for portion in [one for one in self.under_way if one.link.role == role][:1]:
            self.site.outbox.back([portion])
            self.under_way.remove(portion)
            self.there[role].subtract(portion.rows.value.tolist())

    def tidy(self, _role: str) -> None:
        self.site.archive.maintain(NOW)

    def restart(self, _role: str) -> None:
        self.site, self.under_way, self.cut = self.site.again(), [], True

    def settle(self) -> None:
        self.site.outbox.arrived(self.under_way)
        for role in self.said:
            link = self.site.link(role)
            while (portion := self.site.outbox.next(link, "oldest-first", 25)) is not None:
                self.there[role].update(portion.rows.value.tolist())
                self.site.outbox.arrived([portion])
            assert self.site.outbox.waiting(link)[0].count == 0


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_all_arrives(tmp_path: Path, seed: int) -> None:
    traffic = Traffic(tmp_path / "data", seed)
    deeds = [traffic.say] * 4 + [traffic.send] * 8 + [traffic.arrive] * 3 + [traffic.give_back] * 2
    deeds += [traffic.tidy] + [traffic.restart] * (seed % 2)
    for _ in range(150):
        deeds[int(traffic.chance.integers(len(deeds)))](traffic.chance.choice(["", "forecast"]))
    traffic.settle()
    for role, whole in traffic.said.items():
        assert len(whole) > 100
        assert +traffic.there[role] >= Counter(whole), "no gap"
        assert traffic.cut or traffic.there[role] == Counter(whole), "and none twice"
    assert traffic.cut == bool(seed % 2)
    again = traffic.site.again()
    for role in traffic.said:
        assert again.outbox.next(again.link(role), "newest-first", 99) is None
    again.close()
