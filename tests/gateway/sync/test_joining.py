from flexedge.gateway.sync import sent
from flexedge.gateway.sync.joining import Joining, begin_anew
from flexedge.gateway.sync.ours import ours
from flexedge.store.tables.cursors import Cursor, destination
from tests.gateway.sync.linked import MANY, Here, There


def joining(here: Here, url: str) -> Joining:
    office = here.office()
    central = office.reach("main", url, office.keys("main"), MANY)
    mine = ours(here.state, here.rules, ("readings",), here.kinds)
    return Joining(here.state, central, 1, mine, "beside", here.now)


def test_so_much_at_a_time(here: Here, there: There) -> None:
    here.link(there.url)
    for n in range(5):
        here.sensor(here.battery, f"s{n}")
    some = joining(here, there.url)
    assert some.left() == 5
    some.go_on(2)
    assert some.done == [f"made sensor {here.name} / battery / s{n}" for n in range(2)]
    assert some.left() == 3
    some.go_on(9)
    assert some.left() == 0
    assert len(there.tree(here.name)["/battery"]) == 7


def test_a_thing_that_is_not_there_any_more_is_noted(here: Here, there: There) -> None:
    here.link(there.url)
    battery = here.links()["asset", here.battery, ""]
    there.ask("DELETE", f"/assets/{battery}")
    here.change(here.battery, description="new")
    some = joining(here, there.url)
    some.go_on()
    assert some.done == [f"{here.name} / battery is not there any more"]
    assert some.left() == 0
    (gone,) = [one for one in here.state.links.all().values() if sent.is_gone(one)]
    assert (gone.thing, gone.local_id) == ("asset", here.battery)
    here.sensor(here.battery, "new")
    later = joining(here, there.url)
    later.go_on()
    assert later.done == []  # what is below it is not made either


def test_linking_again_makes_it_anew_and_sends_all_again(here: Here, there: There) -> None:
    here.link(there.url)
    for number, link in here.state.links.all().items():
        if (link.thing, link.local_id) in (("sensor", here.power), ("asset", here.battery)):
            here.state.links.change(number, sent.gone(link, here.now))
    role = destination(1, "")
    here.state.cursors.move({(role, here.power): Cursor(5), (role, here.soc): Cursor(6)})
    begin_anew(here.state, 1, ["readings"])
    assert here.state.cursors.of(role) == {here.soc: Cursor(6)}
    left = {(one.thing, one.local_id) for one in here.state.links.all().values()}
    assert ("asset", here.battery) not in left
    assert ("sensor", here.soc) in left
    centre = here.state.centres.get(1)
    assert centre is not None
    assert centre.scopes == ["readings"]
    assert "complete" not in centre.details


def test_what_was_edited_there_does_not_keep_it_from_its_end(here: Here, there: There) -> None:
    here.link(there.url)
    battery = here.links()["asset", here.battery, ""]
    there.ask("PATCH", f"/assets/{battery}", json={"name": "accu"})
    here.change(here.battery, name="cell")
    some = joining(here, there.url)
    assert some.left() == 1
    some.go_on()
    assert some.edited == {f"{here.name} / cell": ("name",)}
    assert some.done == []
    assert some.left() == 0
