"""docs/scheduling.md: every example of it, and that it leaves out no field."""

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.optim.request.entries import ENTRY_FIELDS
from flexedge.optim.request.solve import solve_file
from flexedge.optim.request.terms import CONTEXT_FIELDS
from tests.optim.checker import check

Json = dict[str, Any]
TEXT = (Path(__file__).parents[2] / "docs" / "scheduling.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```json\n(.*?)\n```\n\nComes to \*\*(\S+) EUR\*\*: (.*?) kW\.", TEXT, re.DOTALL
)
BASE: Json = json.loads(EXAMPLES[0][0])


def case(text: str) -> Json:
    """An example as a whole file."""
    shown, found = json.loads(text), copy.deepcopy(BASE)
    if "request" not in shown:
        found["request"]["flex-model"] = shown["flex-model"]
        found["request"]["flex-context"].update(shown.get("flex-context", {}))
    return found


def test_every_example_is_followed_by_what_it_comes_to() -> None:
    assert len(EXAMPLES) == TEXT.count("```json") > 12


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_comes_to_what_it_says(number: int) -> None:
    text, cost, powers = EXAMPLES[number]
    asked = case(text)
    found = solve_file(asked, timedelta(seconds=20))
    assert found["status"] == "optimal"
    assert found["cost"] == pytest.approx(float(cost), abs=5.1e-3)
    for part in powers.split("; "):
        name, values = part.split("` ")
        told = [float(value) for value in values.split(", ")]
        assert found["outputs"][name[1:]]["values"] == pytest.approx(told, abs=5.1e-3)
    verdict = check(asked, found)
    assert verdict.laws == ()
    assert verdict.differs(found["commitment-costs"]) == {}


@pytest.mark.parametrize("name", sorted({*ENTRY_FIELDS, *CONTEXT_FIELDS}))
def test_every_field_is_in_it(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_its_own_links_lead_somewhere() -> None:
    heads = {re.sub(r"[^a-z -]", "", head.lower()).replace(" ", "-")
             for head in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)}  # fmt: skip
    assert set(re.findall(r"\]\(#(.*?)\)", TEXT)) <= heads
