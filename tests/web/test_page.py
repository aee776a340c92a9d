"""The page in a real browser, clicked through and looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.api.served import PASSWORD, USER, Served

if TYPE_CHECKING:
    from tests.web.conftest import Site

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
GOOD = "correct horse battery"
DESK, PHONE = (1280, 900), (390, 844)
# Text that is shown, with the contrast between its colour and what lies behind it.
CONTRASTS = """() => {
  const paper = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const pen = paper.getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const bright = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 200) return c;
    }
    return [255, 255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = [];
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest('noscript')) continue;
    const style = getComputedStyle(e);
    const ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [bright(rgba(ink)), bright(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) poor.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as running:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about, for the test to look at."""
    return []


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    context.set_default_timeout(8000)
    context.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("FLEXEDGE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(site: Site, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(f"{site.url}/open?ticket={site.access.issue_ticket()}")
    page.wait_for_selector(".lane canvas")
    return page


def look(page: Page, size: tuple[int, int], scheme: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.wait_for_timeout(400)  # charts are drawn again, transitions end


def test_from_the_first_visit_to_the_next_login(
    site: Site, context: BrowserContext, complaints: list[str]
) -> None:
    page = context.new_page()
    page.goto(site.url)
    page.get_by_label("Claim code").fill((site.access.claim_code or "").replace("-", "").lower())
    assert page.get_by_label("Claim code").input_value() == site.access.claim_code
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Become the owner").click()
    assert "at least 10" in page.get_by_role("alert").inner_text()
    page.get_by_label("New password").fill(GOOD)
    page.get_by_role("button", name="Become the owner").click()
    page.wait_for_selector(".lane canvas")
    page.get_by_label("Account").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Log in").wait_for()
    assert complaints == []
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("The code or the password is wrong.").wait_for()
    assert all("401" in complaint for complaint in complaints)  # the browser reports the refusal
    complaints.clear()
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector(".lane canvas")
    assert complaints == []


def test_the_password_is_changed_in_a_dialog(
    site: Site, context: BrowserContext, complaints: list[str]
) -> None:
    site.access.change_password(None, GOOD, "here")
    page = opened(site, context)
    page.get_by_label("Account").click()
    page.get_by_role("button", name="Change password").click()
    page.get_by_label("Password now").fill(GOOD)
    page.get_by_label("New password").fill("another good secret")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("dialog").wait_for(state="hidden")
    site.access.login("another good secret", "here")
    page.locator("#link[data-state=live]").wait_for()
    assert complaints == []


def test_values_change_without_a_reload(
    site: Site, context: BrowserContext, complaints: list[str]
) -> None:
    page = opened(site, context)
    battery = page.get_by_role("article", name="Battery")
    assert "2.16 kW" in battery.inner_text()
    row = page.locator("details.device").first
    row.locator("summary").click()
    assets = tuple(
        replace(asset, power_kw=-4.32, quality="good") if asset.name == "battery" else asset
        for asset in site.world.state.assets
    )
    site.world.state = replace(site.world.state, assets=assets, grid_kw=None, alarms=())
    battery.get_by_text("4.32 kW").wait_for()
    assert "discharging" in battery.inner_text()
    flow = page.get_by_role("list", name="Power flow").inner_text()
    assert "Battery: discharging, 4.32 kW" in flow
    assert "Grid: not known, \N{EN DASH} kW" in flow  # missing is never 0
    assert page.locator("#alarms").is_hidden()
    assert row.get_by_role("table").is_visible()  # what was opened stays open
    assert complaints == []


def test_a_gateway_that_stops_is_noticed_at_once(
    site: Site, context: BrowserContext, shots: Path
) -> None:
    page = opened(site, context)
    site.server.stop()
    page.get_by_text("trying again").wait_for()
    assert page.locator("#link").inner_text() == "Connection lost"
    page.wait_for_timeout(300)
    page.screenshot(path=shots / "page-lost-desk-light.png")


def test_silence_is_noticed_and_ends_by_itself(site: Site, context: BrowserContext) -> None:
    page = opened(site, context)
    site.world.fault = RuntimeError("no view for a while")
    page.get_by_text("trying again").wait_for(timeout=15_000)
    site.world.fault = None
    page.get_by_text("trying again").wait_for(state="hidden")
    assert page.locator("#link").get_attribute("data-state") == "live"


def test_an_ended_session_leads_to_the_login(site: Site, context: BrowserContext) -> None:
    site.access.change_password(None, GOOD, "here")
    page = opened(site, context)
    site.access.sessions.close_all()
    page.get_by_role("heading", name="Log in").wait_for()


def test_a_link_from_another_site_finds_the_session(site: Site, context: BrowserContext) -> None:
    opened(site, context).close()
    page = context.new_page()
    elsewhere = site.url.replace("127.0.0.1", "localhost")
    page.goto(f"{elsewhere}/health")
    page.evaluate("(url) => { location.href = url; }", site.url)
    page.wait_for_selector(".lane canvas")


def test_a_site_of_which_nothing_is_known_yet(
    site: Site, context: BrowserContext, complaints: list[str], shots: Path
) -> None:
    status, chart = site.world.state, site.world.graph
    plan = replace(
        status.plan, rung="local-rule", made_at=None, valid_until=None, explanation=(), cost=None,
        status="waiting for readings", seconds=None, count=0,
    )  # fmt: skip
    site.world.state = replace(
        status, assets=(), devices=(), plan=plan, alarms=(), grid_kw=None, grid_limit_kw=None,
        import_price=None, feed_in_price=None,
    )  # fmt: skip
    empty = replace(chart.grid, measured=(), planned=())
    site.world.graph = replace(
        chart, times=(), import_price=(), feed_in_price=(), grid=empty, powers=(), socs=()
    )
    page = context.new_page()
    page.goto(f"{site.url}/open?ticket={site.access.issue_ticket()}")
    page.get_by_text("There is no plan yet").wait_for()
    assert page.get_by_text("The charts appear with the first plan.").is_visible()
    assert page.get_by_text("No devices yet.").is_visible()
    hub = page.locator(".hub .value").text_content() or "nothing"
    assert "0" not in page.locator("#figures").inner_text() + hub  # missing is never 0
    look(page, DESK, "light")
    page.screenshot(path=shots / "page-empty-desk-light.png", full_page=True)
    assert complaints == []


def test_names_are_text_whatever_is_in_them(
    site: Site, context: BrowserContext, complaints: list[str]
) -> None:
    evil = "<img src=x onerror=alert(1)>"
    status = site.world.state
    device = replace(status.devices[0], title=evil, error=evil)
    asset = replace(status.assets[0], name=evil, why=evil)
    plan = replace(status.plan, explanation=(evil,), status=evil)
    site.world.state = replace(
        status, site=evil, devices=(device,), assets=(asset,), plan=plan, alarms=(evil,)
    )
    page = opened(site, context)
    assert page.locator("#site").inner_text() == evil
    assert page.locator("main img").count() == 0
    assert complaints == []


def test_many_assets_fit(site: Site, context: BrowserContext, shots: Path) -> None:
    status = site.world.state
    more = tuple(
        replace(asset, name=f"{asset.name}-{n}") for n in (2, 3) for asset in status.assets
    )
    site.world.state = replace(status, assets=status.assets + more[:6])
    page = opened(site, context)
    look(page, DESK, "light")
    page.locator("#flow").screenshot(path=shots / "flow-many-desk-light.png")
    look(page, PHONE, "light")
    page.locator("#flow").screenshot(path=shots / "flow-many-phone-light.png")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert page.locator(".node").count() == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_looks_right(
    site: Site, context: BrowserContext, complaints: list[str], shots: Path, scheme: str
) -> None:
    door = context.new_page()
    door.goto(site.url)
    look(door, PHONE, scheme)
    assert door.evaluate(CONTRASTS) == []
    door.screenshot(path=shots / f"page-claim-phone-{scheme}.png")
    page = opened(site, context)
    page.locator("details.device summary").nth(2).click()
    page.evaluate("scrollTo(0, 0)")
    for name, size in (("desk", DESK), ("phone", PHONE)):
        look(page, size, scheme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(CONTRASTS) == []
        page.screenshot(path=shots / f"page-{name}-{scheme}.png", full_page=True)
    assert complaints == []


def test_every_control_is_reached_by_keyboard_and_has_a_name(
    site: Site, context: BrowserContext
) -> None:
    page = opened(site, context)
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(document.activeElement.ariaLabel || document.activeElement.innerText || '')"
                ".trim().split('\\n')[0]"
            )
        )
    assert names[:2] == ["Skip to the content", "Account"]
    assert {"Around now", "Today", "All"} <= set(names)
    assert all(names[: names.index("All")])


def test_nothing_moves_for_those_who_asked_for_it(site: Site, context: BrowserContext) -> None:
    page = opened(site, context)
    page.locator(".dots circle").nth(3).wait_for(state="attached")
    page.emulate_media(reduced_motion="reduce")
    page.locator(".dots .arrow").nth(4).wait_for(state="attached")
    assert page.locator(".dots circle").count() == 0
    running = "document.getAnimations().filter((a) => a.playState === 'running').length"
    assert page.evaluate(running) == 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    """A gateway with an asset and a sensor, and a centre that it can be linked with."""
    folder = tmp_path_factory.mktemp("pair")
    gateway, centre = (Served(folder / name).people() for name in ("gateway", "centre"))
    with gateway, centre:
        token = gateway.token()
        asset = {"name": "Hut", "generic_asset_type_id": 1, "account_id": 1}
        number = gateway.ask("POST", "/assets", token, json=asset).json()["id"]
        sensor = {"name": "power", "unit": "kW", "event_resolution": "PT5M", "timezone": "UTC"}
        gateway.ask("POST", "/sensors", token, json=sensor | {"generic_asset_id": number})
        yield gateway, centre


def owner_of(served: Served, context: BrowserContext, path: str) -> Page:
    """A page of a gateway that runs, opened by its owner."""
    token = json.loads((served.folder / "runtime.json").read_text())["token"]
    who = {"Authorization": f"Bearer {token}"}
    ticket = requests.post(f"{served.url}/api/tickets", json={}, headers=who, timeout=10).json()
    page = context.new_page()
    page.goto(ticket["url"])
    page.goto(served.url + path)
    return page


def test_a_gateway_is_linked_watched_and_unlinked(
    pair: tuple[Served, Served], context: BrowserContext, complaints: list[str], shots: Path
) -> None:
    gateway, centre = pair
    page = owner_of(gateway, context, "/centres")
    complaints.clear()  # without a site there is no page of one
    page.get_by_text("is not linked with a central server").wait_for()
    see = page.get_by_role("button", name="See what would be created")
    see.click()
    assert "Address is missing" in page.get_by_role("alert").first.inner_text()
    page.get_by_label("Address").fill(centre.url)
    page.get_by_label("E-mail", exact=True).fill(USER)
    page.get_by_label("Password").fill("not that one")
    look(page, PHONE, "dark")
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.screenshot(path=shots / "centres-join-phone-dark.png", full_page=True)
    see.click()
    page.locator("#join-form .error").wait_for()
    complaints.clear()  # the browser reports the refusal
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.get_by_text("2 of 2 assets and sensors will be made").wait_for()
    look(page, DESK, "light")
    assert page.evaluate(CONTRASTS) == []
    page.screenshot(path=shots / "centres-plan-desk-light.png", full_page=True)
    page.get_by_role("button", name="Link", exact=True).click()
    card = page.get_by_role("article", name="main")
    card.get_by_text("in step").first.wait_for(timeout=20_000)
    assert centre.url in card.inner_text()
    assert page.get_by_label("Password").input_value() == ""
    for name, size, scheme in (("desk", DESK, "light"), ("phone", PHONE, "dark")):
        look(page, size, scheme)
        assert page.evaluate(CONTRASTS) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.screenshot(path=shots / f"centres-{name}-{scheme}.png", full_page=True)
    page.get_by_role("button", name="Let nothing take effect").click()
    page.get_by_text("lets nothing that centres ask for take effect").wait_for()
    page.get_by_role("button", name="Unlink: main").click()
    page.get_by_role("button", name="Unlink", exact=True).click()
    page.get_by_text("is not linked with a central server").wait_for()
    assert complaints == []
