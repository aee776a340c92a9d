import pytest

from flexedge.config.profile import Control, Meaning
from flexedge.domain.belief import Quality
from flexedge.drivers.driver import Sample
from flexedge.drivers.known import Known
from flexedge.drivers.meaning import MISSING

GOOD = Quality.GOOD
POINTS = {
    "pv.rated": Meaning(unit="W"),
    "pv.limit": Meaning(unit="%", relative_to="pv.rated"),
    "switch.on": Meaning(unit=""),
    "pv.heat": Meaning(unit="degC"),
}


@pytest.fixture
def known() -> Known:
    controls = {
        "pv.power": Control(readback="pv.limit"),
        "switch.power": Control(readback="switch.on"),
        "heat.power": Control(readback="pv.heat"),
    }
    return Known(POINTS, controls)


def test_points_show_what_was_heard_with_what_they_depend_on(known: Known) -> None:
    assert known.samples(["pv.limit"]) == [Sample("pv.limit", None, Quality.MISSING)]
    known.heard["pv.limit"] = (0.5, GOOD)
    assert known.samples(["pv.limit"]) == [Sample("pv.limit", None, Quality.MISSING)]
    known.heard["pv.rated"] = (8.0, GOOD)
    assert known.samples(["pv.limit", "pv.rated"]) == [
        Sample("pv.limit", 4.0), Sample("pv.rated", 8.0),
    ]  # fmt: skip
    known.clear()
    assert known.value("pv.rated") is None


def test_what_is_needed_and_not_known_is_named(known: Known) -> None:
    assert known.lacking(["pv.limit", "switch.on"]) == ["pv.rated"]
    assert known.lacking(["pv.limit", "pv.rated"]) == [], "it is one of them"
    known.heard["pv.rated"] = MISSING
    assert known.lacking(["pv.limit"]) == ["pv.rated"]
    known.heard["pv.rated"] = (8.0, GOOD)
    assert known.lacking(["pv.limit"]) == []


def test_a_read_back_in_kw_is_the_power(known: Known) -> None:
    known.heard |= {"pv.limit": (0.25, GOOD), "pv.rated": (8.0, GOOD)}
    assert known.shown_kw("pv.power") == 2.0
    known.heard["pv.limit"] = (1.1, Quality.IMPLAUSIBLE)
    assert known.shown_kw("pv.power") is None


@pytest.mark.parametrize(
    ("shows", "written_kw", "shown_kw"),
    [(0.0, 2.5, 0.0), (1.0, 2.5, 2.5), (3.0, -2.5, -2.5), (1.0, 0.0, None), (0.0, 0.0, 0.0)],
)
def test_a_switch_shows_zero_or_what_was_written(
    known: Known, shows: float, written_kw: float, shown_kw: float | None
) -> None:
    known.written_kw["switch.power"] = written_kw
    assert known.shown_kw("switch.power") is None
    known.heard["switch.on"] = (shows, GOOD)
    assert known.shown_kw("switch.power") == shown_kw


def test_a_switch_says_nothing_of_a_power_that_nobody_wrote(known: Known) -> None:
    known.heard["switch.on"] = (1.0, GOOD)
    assert known.shown_kw("switch.power") is None


def test_what_is_neither_power_nor_switch_shows_nothing(known: Known) -> None:
    known.heard["pv.heat"] = (0.0, GOOD)
    assert known.shown_kw("heat.power") is None
