"""The pages of a gateway that is linked, in a real browser: all that can be seen of a centre."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from flexedge.domain.runs import Run
from flexedge.domain.schedule import Schedule
from flexedge.domain.series import Series, TimeGrid
from flexedge.errors import CentreRefused
from flexedge.gateway import amended
from flexedge.gateway.amended import Change, Kept, Trial
from flexedge.gateway.elsewhere import Given
from flexedge.gateway.sync import orders
from flexedge.gateway.sync.lags import Lag
from flexedge.gateway.sync.orders import Result
from flexedge.gateway.sync.sync import Standing, Sync
from flexedge.gateway.sync.unwanted import rejected, set_aside
from flexedge.store.tables.centres import Link
from flexedge.web.app import build
from flexedge.web.auth import Access
from flexedge.web.server import Server
from tests.gateway.conftest import Hut, World, blank, hut
from tests.gateway.sync.duties import MAIN
from tests.web.api.edge import parts_of
from tests.web.conftest import Serving
from tests.web.test_page import (
    CONTRASTS,
    DESK,
    PHONE,
    browser,
    complaints,
    context,
    look,
    shots,
)

__all__ = ["blank", "browser", "complaints", "context", "hut", "shots"]
pytestmark = pytest.mark.browser
MINUTE = timedelta(minutes=1)
BAD = CentreRefused(
    "main", 422, "UNPROCESSABLE_ENTITY", "values: 61.3 is more than this sensor's capacity"
)


class Still:
    """A thread that never does anything."""

    def wake(self) -> None:
        pass

    def end(self) -> None:
        pass


def refuse(world: World) -> None:
    """Two runs of values are not taken."""
    state, now = world.gateway.state, world.now
    numbers = {one.name: number for number, one in state.sensors().items()}
    for n, (key, values) in enumerate((("battery.power", (61.3,)), ("solar.power", (1.0,) * 12))):
        link = Link(1, "sensor", numbers[key], 21 + n)
        numbered = state.links.add(link), link
        run = Run(now - 90 * MINUTE, 5 * MINUTE, values, "kW", horizon=timedelta(0))
        set_aside(state, numbered, run, BAD, now - 20 * MINUTE)


def edit(world: World) -> None:
    """One edit is on trial, another one was refused."""
    now = world.now
    made = Change(centre="main", thing="asset", number=2, about="battery", column="flex_model",
                  field="soc-min", ours="1 kWh", theirs="2 kWh")  # fmt: skip
    tried = made.become("on trial", now)
    no = replace(made, field="soc-max", ours="10 kWh", theirs="20 kWh").become(
        "refused", now, "soc-max is up to the site file"
    )
    trial = Trial(centre="main", since=now, until=now + 10 * MINUTE, heard=now, edits=(tried,),
                  before=(), well=(), planned=True)  # fmt: skip
    amended.keep(world.gateway.state, Kept((tried,), trial, (no,)))


def order(world: World) -> None:
    """One command was carried out, another one was not."""
    done = Result(id="1", command="override", fate="done", why="battery is overridden",
                  at=world.now - 5 * MINUTE, by="Jane", forget=world.now + MINUTE)  # fmt: skip
    no = replace(done, id="2", command="polling", fate="refused", why="It has expired.")
    orders.keep(world.gateway.state, "main", (done, no))


def plan(world: World) -> None:
    """The battery does what the centre planned."""
    powers = Series.constant(TimeGrid(world.now, 15 * MINUTE, 8), 2.0)
    until = world.now + 120 * MINUTE
    world.gateway.elsewhere.put(Given("main", world.now, until, Schedule("battery", powers, None)))


@pytest.fixture
def world(hut: Hut) -> World:
    world = hut("battery", "solar", more={"battery": "planner: central-then-local"})
    world.plan()
    world.gateway.state.centres.add(replace(MAIN, linked=world.now - timedelta(days=3)))
    for happen in (refuse, edit, order, plan):
        happen(world)
    return world


@pytest.fixture
def sync(world: World) -> Sync:
    """The centre answers, and some values are to come."""
    centres, now = world.gateway.centres, world.now
    centres.spawn = lambda _sync: Still()
    centres.refresh()
    (sync,) = centres.syncs
    sync.standing = Standing("in-touch", now - 70 * MINUTE, "", now, now + MINUTE, 4711, 2_310_000)
    links = tuple(world.gateway.state.links.all())
    sync.lags = lambda _now: (
        Lag(links[0], now, now - 12 * MINUTE, 340), Lag(links[1], now, now),
    )  # fmt: skip
    return sync


@pytest.fixture
def served(
    world: World, sync: Sync, tmp_path: Path, serving: Serving
) -> Iterator[tuple[str, Access]]:
    assert sync.linked.centre.name == "main"
    parts = replace(parts_of(world), centres=world.gateway.centres)
    access = Access(parts.state, tmp_path, lambda: world.now)
    server = Server(build(parts.window, access, parts), "127.0.0.1", 0)
    server.start()
    serving(server)
    yield server.url, access
    server.stop()


@pytest.mark.parametrize(
    "shown", [("desk", DESK, "light"), ("phone", PHONE, "dark")], ids=lambda shown: str(shown[0])
)
def test_all_that_is_known_of_a_centre_is_seen(
    served: tuple[str, Access], context: BrowserContext, complaints: list[str], shots: Path,
    shown: tuple[str, tuple[int, int], str],
) -> None:  # fmt: skip
    (url, access), (name, size, scheme) = served, shown
    page = context.new_page()
    page.goto(f"{url}/open?ticket={access.issue_ticket()}")
    card = page.locator(".centre")
    card.get_by_text("12 min behind").wait_for()
    assert "Look at this" in card.inner_text()
    page.goto(f"{url}/centres")
    page.get_by_role("article", name="main").get_by_text("2 refused").wait_for()
    refused = page.get_by_role("region", name="What was refused")
    refused.get_by_text("61.3 kW of").wait_for()
    assert refused.get_by_text("422 UNPROCESSABLE_ENTITY: values: 61.3").count() == 2
    assert "12 values of" in refused.inner_text()
    came = page.get_by_role("region", name="What came from there").inner_text()
    for words in ("soc-min 2 kWh instead of 1 kWh", "soc-max is up to the site file",
                  "override by Jane", "It has expired.", "planned there"):  # fmt: skip
        assert words in came
    look(page, size, scheme)
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.screenshot(path=shots / f"centres-linked-{name}-{scheme}.png", full_page=True)
    assert complaints == []


def test_what_was_refused_is_tried_once_more_or_given_up(
    served: tuple[str, Access], world: World, context: BrowserContext, complaints: list[str]
) -> None:
    url, access = served
    state = world.gateway.state
    page = context.new_page()
    page.goto(f"{url}/open?ticket={access.issue_ticket()}")
    page.goto(f"{url}/centres")
    refused = page.get_by_role("region", name="What was refused")
    refused.get_by_role("button", name="Try again: solar.power").click()
    refused.get_by_text("tried once more as soon as it can be").wait_for()
    assert [one.sensor for one in rejected(state) if one.again] == ["solar.power"]
    give_up = refused.get_by_role("button", name="Give up: battery.power")
    give_up.click()
    page.get_by_role("button", name="Cancel").click()
    assert len(rejected(state)) == 2
    give_up.click()
    page.get_by_role("button", name="Give up for good").click()
    refused.get_by_text("61.3 kW of").wait_for(state="hidden")
    assert [one.sensor for one in rejected(state)] == ["solar.power"]
    refused.get_by_role("button", name="Try all again").click()
    refused.get_by_role("button", name="Give all up").click()
    page.get_by_role("button", name="Give up for good").click()
    refused.wait_for(state="hidden")
    assert rejected(state) == ()
    assert complaints == []


EVIL = "<img src=x onerror=document.title='evil'>"


def test_what_a_centre_says_is_never_markup(
    served: tuple[str, Access], world: World, sync: Sync, context: BrowserContext,
    complaints: list[str],
) -> None:  # fmt: skip
    (url, access), state, now = served, world.gateway.state, world.now
    (number,) = state.centres.all()
    state.centres.change(number, replace(state.centres.all()[number], account=EVIL, user=EVIL))
    link = next(iter(state.links.all().items()))
    run = Run(now - 90 * MINUTE, 5 * MINUTE, (1.0,), "kW", horizon=timedelta(0))
    bad = CentreRefused("main", 422, "UNPROCESSABLE_ENTITY", EVIL)
    set_aside(state, link, run, bad, now)
    made = Change(centre="main", thing="asset", number=2, about="battery", column="attributes",
                  field=EVIL, ours=EVIL, theirs={EVIL: EVIL})  # fmt: skip
    amended.keep(state, Kept((), None, (made.become("refused", now, EVIL),)))
    orders.keep(state, "main", (Result(id="1", command=EVIL, fate="refused", why=EVIL, at=now,
                                       by=EVIL, forget=now + MINUTE),))  # fmt: skip
    sync.standing = Standing("away", now - 90 * MINUTE, EVIL, None, None, 1, 2)
    page = context.new_page()
    page.goto(f"{url}/open?ticket={access.issue_ticket()}")
    page.locator(".centre").get_by_text(EVIL).wait_for()
    page.goto(f"{url}/centres")
    refused = page.get_by_role("region", name="What was refused")
    refused.get_by_text(EVIL).wait_for()
    came = page.get_by_role("region", name="What came from there").inner_text()
    assert came.count(EVIL) == 8
    assert page.get_by_role("article", name="main").inner_text().count(EVIL) == 3
    assert page.locator("main img").count() == 0
    assert page.title() == "Centres · flexedge"
    look(page, PHONE, "light")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(CONTRASTS) == []
    assert complaints == []


def test_what_needs_somebody_stands_out(
    served: tuple[str, Access], sync: Sync, context: BrowserContext, shots: Path
) -> None:
    url, access = served
    away = sync.standing.since
    assert away is not None
    sync.standing = replace(
        sync.standing, contact="away", since=away, why="ems.example.com has no address (DNS)"
    )
    page = context.new_page()
    page.goto(f"{url}/open?ticket={access.issue_ticket()}")
    page.goto(f"{url}/centres")
    card = page.get_by_role("article", name="main")
    card.get_by_text("away for 70 min: ems.example.com has no address (DNS)").wait_for()
    chip, why = card.locator(".chip").first, page.locator(".refusal .error").first
    ink = "(one) => getComputedStyle(one).color"
    assert chip.evaluate(ink) == why.evaluate(ink)
    veto = page.get_by_role("button", name="Let nothing take effect")
    assert veto.get_attribute("aria-pressed") is None, "its name says what it does"
    card.get_by_text("1 of 2 sensors with values to come").click()
    for name, size, scheme in (("desk", DESK, "dark"), ("phone", PHONE, "light")):
        look(page, size, scheme)
        assert page.evaluate(CONTRASTS) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.screenshot(path=shots / f"centres-away-{name}-{scheme}.png", full_page=True)
    page.route("**/api/v3_0/gateway/sync", lambda route: route.abort())
    page.locator("body.old").wait_for()
    assert page.locator("#link").text_content() == "Connection lost"
    page.unroute("**/api/v3_0/gateway/sync")
    page.locator("body:not(.old)").wait_for()
