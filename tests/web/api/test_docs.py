import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate
from playwright.sync_api import Page, sync_playwright

from flexedge.web.api.docs import FLEXMEASURES_PLACE, PLACE, chapters, kind_of, operations
from flexedge.web.api.op import Call, Op, Reply
from flexedge.web.pages import STATIC
from flexedge.wire.shape import KebabShape, Told
from tests.web.conftest import Site
from tests.web.test_page import CHROMIUM, CONTRASTS


class Inner(KebabShape):
    soc_max: float | str
    """The highest <state>."""


class Said(KebabShape):
    flex_model: list[Inner]
    count: int = 3


class Answer(Told):
    value: float


def run(_call: Call[Any, Any]) -> Reply:
    return Reply()


THING = Op(
    method="POST", path="/api/v3_0/things/{id}", run=run, summary="Do <it>", tag="Things",
    body=Said, answers={200: Answer},
)  # fmt: skip


def sent(op: Op) -> Reply:
    return op.run(None)  # type: ignore[arg-type] # they look at nothing of the call


def test_the_document_is_served_where_ours_and_flexmeasures_are() -> None:
    ops = {op.path: op for op in operations((THING,))}
    assert set(ops) == {PLACE, f"{PLACE}openapi.json", FLEXMEASURES_PLACE}
    text = sent(ops[FLEXMEASURES_PLACE]).body
    assert text == sent(ops[f"{PLACE}openapi.json"]).body
    told = json.loads(text)
    validate(told)
    assert set(told["paths"]) == {*ops, THING.path}


def test_the_document_is_read_as_chapters_of_entries() -> None:
    told = json.loads(sent(operations((THING,))[1]).body)
    found = chapters(told)
    assert list(found) == ["Public", "Things"]
    (entry,) = found["Things"]
    assert (entry.method, entry.path, entry.summary) == ("POST", THING.path, "Do <it>")
    assert [(one.name, one.kind, one.required) for one in entry.parameters] == [
        ("id", "string", True)
    ]
    assert entry.body is not None
    assert [(one.name, one.kind, one.required) for one in entry.body.lines] == [
        ("flex-model", "list of object", True), ("count", "integer, 3 if not given", False)
    ]  # fmt: skip
    (inner,) = entry.body.lines[0].inner
    assert (inner.name, inner.kind, inner.about) == (
        "soc-max", "number or string", "The highest <state>."
    )  # fmt: skip
    assert [one.status for one in entry.answers] == ["200"]
    assert any(one.startswith("422 ") for one in entry.refusals)


def test_the_page_shows_it_and_needs_nothing_from_elsewhere() -> None:
    reply = sent(operations((THING,))[0])
    page = reply.body.decode()
    assert reply.media_type == "text/html; charset=utf-8"
    for text in (
        "Do &lt;it&gt;",
        "flex-model",
        "The highest &lt;state&gt;.",
        "/api/v3_0/things/{id}",
    ):
        assert text in page
    assert "Scope: <code>read</code>." in page
    assert "<script" not in page
    assert "style=" not in page
    links = re.findall(r'(?:href|src)="([^"#][^"]*)"', page)
    assert links
    for link in links:
        assert link.startswith("/")
        if link.startswith("/static/"):
            assert (STATIC / link.removeprefix("/static/")).is_file()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "anything"),
        ({"type": "string", "format": "date-time"}, "string (date-time)"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer (at least 1, at most 9)"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"const": 5}, "5"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "null or string"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/A"}}, "list of boolean"),
        ({"type": "boolean", "default": True}, "boolean, true if not given"),
    ],
)
def test_kinds_are_said_in_a_few_words(schema: dict[str, Any], text: str) -> None:
    assert kind_of({"components": {"schemas": {"A": {"type": "boolean"}}}}, schema) == text


def test_the_page_is_there_without_a_login_and_without_the_slash(site: Site) -> None:
    for path in ("/api/v3_0/docs/", "/api/v3_0/docs"):
        answer = site.browser().get(site.url + path, timeout=20)
        assert (answer.status_code, answer.url) == (200, f"{site.url}/api/v3_0/docs/")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as running:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_read_in_a_browser(site: Site, page: Page, width: int) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.url}/api/v3_0/docs/")
    entry = page.locator("details#get_sensors_by_id_data")
    assert not entry.get_by_text("Parameters").is_visible()
    entry.locator("> summary").click()
    assert entry.get_by_text("Parameters").is_visible()
    assert entry.get_by_text("duration", exact=True).first.is_visible()
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    if folder := os.environ.get("FLEXEDGE_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/api-{width}.png", full_page=False)
