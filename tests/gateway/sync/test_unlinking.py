import pytest

from flexedge.errors import CentreAway, RequestError
from flexedge.gateway.sync.unlinking import Unlinked, unlink
from flexedge.store.tables.centres import Unwanted
from flexedge.store.tables.cursors import Cursor, destination
from tests.gateway.sync.cutting import cutter
from tests.gateway.sync.linked import Here, There


def test_all_is_forgotten_here_and_nothing_there(here: Here, there: There) -> None:
    here.link(there.url)
    state = here.state
    state.cursors.move({(destination(1, ""), here.power): Cursor(7)})
    link_id = next(iter(state.links.all()))
    state.unwanted.add(Unwanted(1, link_id, here.now, 422, "", "No", {}))
    state.remember("sync.1.dropped", "7")
    state.remember("sync.11.dropped", "8")
    told = unlink(here.office(), "main", "bert")
    assert (told.name, told.url, told.links) == ("main", there.url, 5)
    assert (told.deleted, told.kept) == ((), {})
    left = state.centres.all(), state.links.all(), state.unwanted.all()
    assert [len(one) for one in left] == [0, 0, 0]
    assert state.cursors.of(destination(1, "")) == {}
    assert (state.fact("sync.1.dropped"), state.fact("sync.11.dropped")) == (None, "8")
    assert not (here.folder / "centres" / "main.json").exists()
    entry = state.audit.newest()[0]
    assert (entry.who, entry.what, entry.after) == ("bert", "Unlinked from centre main", None)
    assert there.tree(here.name) == {"": ["import"], "/battery": ["power", "soc"]}


def test_what_was_made_can_be_deleted_also_after_it_was_found_again(
    here: Here, there: There
) -> None:
    here.link(there.url)
    unlink(here.office(), "main", "bert")
    here.link(there.url)
    told = unlink(here.office(), "main", "bert", delete_there=True)
    assert [one.rpartition(" (")[0] for one in told.deleted] == [
        "asset battery", f"asset {here.name}"
    ]  # fmt: skip
    assert told.kept == {}
    assert there.named(here.name) == []


def test_much_is_deleted_a_part_with_each_call(here: Here, there: There) -> None:
    for number in range(9):
        here.asset(f"string {number}", "solar", here.site)
    here.link(there.url)
    office, told = here.office(), list[Unlinked]()
    while not told or told[-1].left:
        assert len(here.state.centres.all()) == 1
        told.append(unlink(office, "main", "bert", delete_there=True))
    assert [len(one.deleted) for one in told] == [8, 3]
    assert [one.left for one in told] == [3, 0]
    assert here.state.centres.all() == {}
    assert there.named(here.name) == []
    log = [one for one in here.state.audit.newest() if "Deleted" in one.what]
    assert [len((one.after or {})["deleted"]) for one in log] == [3, 8]


def test_a_server_that_is_busy_is_asked_later(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        here.link(between.url)
        between.refusing = {"DELETE": (429, '{"message": "Not so many."}')}
        told = unlink(here.office(), "main", "bert", delete_there=True)
        assert (told.deleted, told.left, told.wait_s) == ((), 2, 5.0)
        between.refusing = {}
        assert unlink(here.office(), "main", "bert", delete_there=True).left == 0
    assert there.named(here.name) == []


def test_what_was_found_and_what_others_made_stays(here: Here, there: There) -> None:
    site = there.add_asset(here.name)
    here.link(there.url, same_name="adopt")
    battery = here.links()["asset", here.battery, ""]
    there.add_sensor(battery, "somebody's")
    told = unlink(here.office(), "main", "bert", delete_there=True)
    names = [one.rpartition(" (")[0] for one in told.deleted]
    assert names == ["sensor power", "sensor soc", "sensor import"]
    assert told.kept == {
        f"asset battery ({battery})":
        "there are assets or sensors in it that were not made from here"
    }  # fmt: skip
    assert there.tree(here.name) == {"": [], "/battery": ["somebody's"]}
    assert there.ask("GET", f"/assets/{site}")["name"] == here.name


def test_what_tells_of_the_gateway_itself_goes_with_it(here: Here, there: There) -> None:
    here.link(there.url)
    site = here.links()["asset", here.site, ""]
    mark = {"gateway": here.state.fact("gateway.id"), "role": "health"}
    there.add_sensor(site, "gateway heartbeat", attributes={"flexedge": mark})
    unlink(here.office(), "main", "bert", delete_there=True)
    assert there.named(here.name) == []


def test_a_deletion_that_is_cut_is_begun_again(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        here.link(between.url)
        between.passing = len(between.passed) + 4
        with pytest.raises(CentreAway):
            unlink(here.office(), "main", "bert", delete_there=True)
        assert len(here.state.links.all()) == 5
        between.passing = None
        told = unlink(here.office(), "main", "bert", delete_there=True)
    assert told.kept == {}
    assert there.named(here.name) == []
    assert here.state.centres.all() == {}


def test_without_rights_it_stays_and_is_told(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        here.link(between.url)
        between.refusing = {"DELETE": (403, '{"message": "You may not."}')}
        told = unlink(here.office(), "main", "bert", delete_there=True)
    assert told.deleted == ()
    assert len(told.kept) == 3
    assert any("You may not." in one for one in told.kept.values())


def test_there_must_be_such_a_centre(here: Here) -> None:
    with pytest.raises(RequestError, match="no centre 'x': this gateway is linked") as told:
        unlink(here.office(), "x", "bert")
    assert told.value.status == 404
