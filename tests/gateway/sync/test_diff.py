"""What is an edit of a centre's admin pages, and what is not."""

from dataclasses import replace
from typing import Any

import pytest

from flexedge.config.centre import Accepted
from flexedge.gateway.sync.diff import Difference, Numbers, Seen, difference, refusals, told
from flexedge.store.tables.centres import Link
from tests.gateway.sync.duties import NOW

LINKS = (Link(1, "asset", 3, 30), Link(1, "sensor", 5, 50), Link(1, "sensor", 5, 51, "forecast"))
NUMBERS = Numbers.of(LINKS)
ACCEPTED = Accepted(flex_model=("soc-min", "soc-usage"), attributes=("colour",))


def seen(sent: dict[str, Any], there: dict[str, Any], here: dict[str, Any]) -> Seen:
    link = replace(LINKS[0], details={"sent": sent})
    return Seen("main", link, "battery", {"flex_model": here, "attributes": {}}, there)


def model(sent: Any, there: Any, here: Any, key: str = "soc-min") -> Difference:
    fields = {} if there is None else {key: there}
    told_so = {"name": "battery"} | ({} if sent is None else {f"flex_model.{key}": sent})
    return difference(
        seen(told_so, {"flex_model": fields}, {} if here is None else {key: here}),
        NUMBERS, ACCEPTED,
    )  # fmt: skip


def test_what_is_as_it_was_told_is_no_edit_whatever_we_have_now() -> None:
    assert model("1 kWh", "1 kWh", "2 kWh") == Difference()


def test_what_somebody_changed_is_one() -> None:
    (change,) = model("1 kWh", "3 kWh", "1 kWh").changes
    assert (change.about, change.column, change.field) == ("battery", "flex_model", "soc-min")
    assert (change.ours, change.theirs, change.number, change.thing) == (
        "1 kWh",
        "3 kWh",
        3,
        "asset",
    )


def test_what_somebody_added_or_took_away_is_one() -> None:
    (added,), (gone,) = model(None, "3 kWh", None).changes, model("1 kWh", None, "1 kWh").changes
    assert (added.ours, added.theirs) == (None, "3 kWh")
    assert (gone.ours, gone.theirs) == ("1 kWh", None)


@pytest.mark.parametrize(
    ("there", "here"),
    [("3 kWh", "3 kWh"), ("3 kWh", "3.0 kWh"), ("3000 Wh", "3.0 kWh"), ("0.003 MWh", "3 kWh")],
)
def test_what_means_the_same_is_alike(there: str, here: str) -> None:
    found = model("1 kWh", there, here)
    assert (found.changes, found.alike) == ((), {"flex_model.soc-min": there})


@pytest.mark.parametrize(
    ("there", "here"), [("3 kWh", "3 kW"), ("3 kWh", "3.001 kWh"), ("3 cups", "3.0 cups")]
)
def test_what_means_something_else_is_not(there: str, here: str) -> None:
    assert len(model("1 kWh", there, here).changes) == 1


def test_numbers_become_ours_whichever_of_our_roles_they_are_of() -> None:
    theirs = [{"sensor": 51, "default": "1 kW"}, {"sensor": 50}]
    (change,) = model(None, theirs, None, "soc-usage").changes
    assert change.theirs == [{"sensor": 5, "default": "1 kW"}, {"sensor": 5}]


def test_a_number_that_is_none_of_ours_is_told() -> None:
    found = model(None, [{"sensor": 99}], None, "soc-usage")
    ((change, why),) = found.refused
    assert why == "sensor 99 of the centre is none of this gateway's"
    assert change.theirs == [{"sensor": 99}]
    (edit,) = refusals([found], NOW)
    assert (edit.fate, edit.why, edit.at) == ("refused", why, NOW)


def test_what_is_not_accepted_is_told() -> None:
    ((_, why),) = model("10 kWh", "9 kWh", "10 kWh", "soc-max").refused
    assert why == "the site file does not accept it from this centre: add it to accept, flex-model"


def test_without_a_word_on_what_was_told_nothing_is_an_edit() -> None:
    assert difference(
        seen({}, {"flex_model": {"soc-min": "3 kWh"}}, {}), NUMBERS, ACCEPTED
    ) == Difference()  # fmt: skip


def test_attributes_that_are_none_of_our_business_are_left_alone() -> None:
    there = {"attributes": {"colour": "red", "theirs": 1, "flexedge-commands": [], "size": 2}}
    found = difference(seen({"attributes.size": 1}, there, {}), NUMBERS, ACCEPTED)
    assert [(one.field, one.theirs) for one in found.changes] == [("colour", "red")]
    assert [one.field for one, _ in found.refused] == ["size"]


def test_an_answer_of_another_shape_is_no_edit() -> None:
    odd: list[dict[str, Any]] = [
        {}, {"flex_model": None}, {"flex_model": []}, {"flex_model": "{}"}
    ]  # fmt: skip
    for there in odd:
        assert difference(
            seen({"flex_model.soc-min": "1 kWh"}, there, {"soc-min": "1 kWh"}), NUMBERS, ACCEPTED
        ) == Difference()  # fmt: skip


def test_what_is_alike_counts_as_told() -> None:
    link = replace(
        LINKS[0],
        details={"sent": {"a": 1, "flex_model.soc-min": "1 kWh"}, "ours": {"b": 2}, "unit": "kW"},
    )
    alike = {"flex_model.soc-min": "3 kWh", "a": None}
    changed = told(link, alike, {"flex_model.soc-min": "3.0 kWh", "c": 3})
    assert changed.details == {
        "sent": {"flex_model.soc-min": "3 kWh"}, "ours": {"b": 2, "flex_model.soc-min": "3.0 kWh"},
        "unit": "kW",
    }  # fmt: skip
