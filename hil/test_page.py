"""The page of a running demo in a real browser, by the link that the demo prints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from hil.api import Api
from hil.programs import FLEXEDGE, Program
from hil.waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Chromium's own sandbox needs a user other than root.
AS_ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Program]:
    """A demo around a spring noon, where all there is happens."""
    command = [FLEXEDGE, "demo", "--port", "0", "--folder", "demo"]
    command += ["--speed", "60", "--start", "2026-04-14T11:00"]
    program = Program(command, tmp_path, {}, "demo.log", spoken_to=True)
    yield program
    program.clear()


@pytest.fixture
def link(demo: Program, tmp_path: Path) -> str:
    """The link it prints, when its site is up."""
    api = Api(tmp_path / "demo" / "data")
    eventually(api.up, within_s=60)
    api.close()
    (link,) = re.findall(r"http://\S+/open\?ticket=\S+", demo.said())
    return str(link)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def page(complaints: list[str]) -> Iterator[Page]:
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=AS_ROOT)
        page = browser.new_page(viewport=DESK)
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        yield page
        browser.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("FLEXEDGE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_one_click_shows_the_living_site(
    link: str, page: Page, complaints: list[str], shots: Path
) -> None:
    page.goto(link)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    expect(page.locator("#site")).to_have_text("Demo house")
    expect(page.locator("#devices details.device")).to_have_count(5)
    expect(page.locator("#devices .state[data-tone=good]")).to_have_count(5)
    expect(page.locator("#rung")).to_have_text("Fresh plan")
    expect(page.locator(".lane canvas").first).to_be_visible()

    page.evaluate("window.marked = true")
    grid = page.get_by_role("list", name="Power flow").get_by_text("Grid:")
    before = grid.inner_text()
    expect(grid).not_to_have_text(before)
    assert page.evaluate("window.marked")  # without a reload

    for name, size, scheme in (
        ("page-desk-light", DESK, "light"),
        ("page-desk-dark", DESK, "dark"),
        ("page-phone", PHONE, "light"),
    ):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size(size)
        page.wait_for_timeout(400)  # charts are drawn again, transitions end
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.screenshot(path=shots / f"{name}.png", full_page=True)
    assert complaints == []
