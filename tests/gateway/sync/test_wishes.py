"""What came from a centre, as it is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.domain.asset import Sensor
from flexedge.gateway import amended
from flexedge.gateway.amended import Change, Kept, Trial
from flexedge.gateway.sync import orders
from flexedge.gateway.sync.orders import Result
from flexedge.gateway.sync.wishes import commands_told, edits_told
from flexedge.store.state import State

NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=10)


def test_edits_are_told_with_names_and_how_long_they_are_on_trial(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    number = state.sensor_id(Sensor("house.power", "kW"))
    tried = Change(
        centre="main", thing="asset", number=3, about="battery", column="flex_model",
        field="soc-usage", ours=None, theirs=[{"sensor": number}],
    ).become("on trial", NOW)  # fmt: skip
    other = Change(
        centre="second", thing="asset", number=3, about="battery", column="flex_model",
        field="soc-min", ours="1 kWh", theirs="0 kWh",
    ).become("refused", NOW, "too low")  # fmt: skip
    trial = Trial(centre="main", since=NOW, until=UNTIL, heard=NOW, edits=(tried,), before=(),
                  well=(), planned=True)  # fmt: skip
    amended.keep(state, Kept((tried,), trial, (other,)))
    (told,) = edits_told(state, "main")
    assert (told.about, told.field, told.ours) == ("battery", "soc-usage", None)
    assert (told.theirs, told.fate, told.until) == ([{"sensor": "house.power"}], "on trial", UNTIL)
    (told,) = edits_told(state, "second")
    assert (told.fate, told.why, told.until, told.theirs) == ("refused", "too low", None, "0 kWh")
    assert edits_told(state, "third") == ()
    state.close()


def test_the_last_commands_are_told(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert commands_told(state, "main") == ()
    orders.keep(state, "main", [
        Result(id=str(n), command="bundle", fate="done", why="it is", at=NOW, by="Jane",
               forget=UNTIL) for n in range(25)
    ])  # fmt: skip
    told = commands_told(state, "main")
    assert [one.id for one in told] == [str(n) for n in range(5, 25)]
    assert (told[0].by, told[0].result, told[0].why) == ("Jane", "done", "it is")
    state.close()
