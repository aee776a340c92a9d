from dataclasses import replace

import pytest

from flexedge.cloud.keys import Key
from flexedge.errors import CentreAway, CentreLocked, RequestError
from flexedge.gateway.sync.linking import centre_named, link, plan_link
from flexedge.store.tables.centres import Centre
from tests.api.served import PASSWORD, USER
from tests.gateway.sync.cutting import cutter
from tests.gateway.sync.linked import Here, There, told_of


def test_a_plan_says_who_we_are_and_changes_nothing(here: Here, there: There) -> None:
    plan = plan_link(here.office(), here.asked(f"{there.url}/api/v3_0/"))
    assert (plan.url, plan.name, plan.account_id) == (there.url, "main", 1)
    assert (plan.greeting.server, plan.greeting.version) == ("flexedge", "1.0.1")
    assert (plan.who.email, plan.who.account) == (USER, "Toy Account")
    assert plan.accounts == {1: "Toy Account"}
    assert plan.notes == ()
    assert here.state.centres.all() == {}
    assert not (here.folder / "centres").exists()


def test_a_plan_warns_of_what_can_be_read_on_the_way(here: Here, there: There) -> None:
    url = there.url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(CentreAway):
        plan_link(here.office(), here.asked(url))
    plan = plan_link(here.office(), here.asked(there.url))
    assert not any("not encrypted" in note for note in plan.notes)


def test_a_centre_is_known_with_its_credential(here: Here, there: There) -> None:
    told = here.link(there.url, key=Key(USER, PASSWORD), scopes=("readings",))
    assert len(told) == 1
    number, centre = centre_named(here.state, "main") or (0, None)
    assert number == 1
    assert centre == Centre(
        "main", there.url, 1, "Toy Account", USER, here.now, ["readings"],
        {"version": "1.0.1", "server": "flexedge", "complete": True},
    )  # fmt: skip
    file = here.folder / "centres" / "main.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD in file.read_text()
    (entry,) = here.state.audit.newest()
    assert (entry.who, entry.what) == ("anna", "Linked with centre main")
    assert entry.after == {
        "url": there.url, "account": 1, "user": USER, "scopes": ["readings"]
    }  # fmt: skip
    assert PASSWORD not in repr(entry)
    assert PASSWORD not in repr(here.asked(there.url, key=Key(USER, PASSWORD)))


def test_a_credential_is_kept_only_where_it_is_good(here: Here, there: There) -> None:
    for do in (plan_link, lambda office, asked: link(office, asked, "anna")):
        with pytest.raises(CentreLocked):
            do(here.office(), here.asked(there.url, key=Key(USER, "wrong-password")))
        with pytest.raises(CentreLocked):
            do(here.office(), here.asked(there.url, key=None))
    assert here.state.centres.all() == {}
    assert not (here.folder / "centres" / "main.json").exists()


def test_linking_anew_gives_another_credential_and_scopes(here: Here, there: There) -> None:
    here.link(there.url, scopes=("readings",))
    here.kinds = {here.power: frozenset({"scheduler"})}
    told = here.link(there.url, scopes=("readings", "schedules"))
    assert told_of(told) == [f"made sensor {here.name} / battery / power schedule"]
    _, centre = centre_named(here.state, "main") or (0, None)
    assert centre is not None
    assert centre.scopes == ["readings", "schedules"]
    assert centre.details["complete"] is True
    assert [one.what for one in here.state.audit.newest()] == [
        "Gave centre main another credential", "Linked with centre main"
    ]  # fmt: skip


def test_what_is_linked_is_not_turned_into_something_else(here: Here, there: There) -> None:
    here.link(there.url)
    office = here.office()
    with cutter(there.url) as between, pytest.raises(RequestError, match="unlink it first") as told:
        link(office, here.asked(between.url), "anna")
    assert told.value.status == 409
    with pytest.raises(RequestError, match="linked with account 1"):
        plan_link(office, here.asked(there.url, account_id=2))
    with pytest.raises(RequestError, match="is linked already, as main"):
        link(office, here.asked(there.url, name="grid"), "anna")
    with pytest.raises(RequestError, match="is linked already, as main"):
        plan_link(office, here.asked(there.url, name="grid"))
    assert [one.name for one in here.state.centres.all().values()] == ["main"]


def test_an_account_must_be_there(here: Here, there: There) -> None:
    with pytest.raises(RequestError, match=r"no account 77 .*; there are 1 \(Toy Account\)"):
        plan_link(here.office(), here.asked(there.url, account_id=77))


def test_only_one_makes_things_at_a_time(here: Here, there: There) -> None:
    office = replace(here.office(), patience_s=0.0)
    with office.lock, pytest.raises(RequestError, match="just now"):
        link(office, here.asked(there.url), "anna")
    assert here.state.centres.all() == {}


def test_it_goes_in_pieces(here: Here, there: There) -> None:
    for n in range(9):
        here.sensor(here.battery, f"s{n}")
    told = here.link(there.url)
    assert [len(one.done) for one in told] == [8, 8]
    assert told[0].left == 8
    assert len(there.tree(here.name)["/battery"]) == 11


def test_a_server_that_is_busy_is_waited_for(here: Here, there: There) -> None:
    with cutter(there.url) as between:
        between.refusing = {"POST /api/v3_0/sensors": (429, "{}")}
        told = link(here.office(), here.asked(between.url), "anna")
        assert told.left == 5 + 2 - 1 - 1
        assert told.wait_s > 0
        between.refusing = {}
        assert link(here.office(), here.asked(between.url, key=None), "anna").left == 0


def test_nothing_is_taken_or_made_before_somebody_decides(here: Here, there: There) -> None:
    there.add_asset(here.name)
    (told,) = here.link(there.url)
    assert [(one.path, one.way) for one in told.undecided] == [(here.name, "ask")]
    assert told.left == 5
    assert here.links() == {}
    beside = here.link(there.url, same_name="beside")
    assert beside[-1].left == 0
    assert there.tree(f"{here.name} (2)") == {"": ["import"], "/battery": ["power", "soc"]}
    assert replace(beside[-1], done=()).undecided == ()
