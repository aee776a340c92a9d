import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.errors import BadField, StoreDamaged, StoreError
from flexedge.gateway.service.secrets import KEYS, Safe, Thing
from flexedge.store.state import State

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOME, ROOF = Thing("account", 1), Thing("asset", 1)
WORD = "correct horse"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


@pytest.fixture
def safe(state: State, tmp_path: Path) -> Safe:
    return Safe(state, tmp_path)


def keys(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / KEYS).read_text())
    return found


def test_a_secret_is_kept_for_its_thing_and_path(safe: Safe, state: State, tmp_path: Path) -> None:
    safe.put(HOME, "prices.token", WORD)
    safe.put(ROOF, "token", "ü☃")
    assert safe.get(HOME, "prices.token", NOW) == WORD
    assert safe.get(ROOF, "token", NOW) == "ü☃"
    assert safe.get(ROOF, "prices.token", NOW) is None
    assert safe.get(Thing("account", 2), "prices.token", NOW) is None
    safe.put(HOME, "prices.token", "other", NOW + HOUR)
    assert safe.get(HOME, "prices.token", NOW) == "other"
    assert Safe(state, tmp_path).get(HOME, "prices.token", NOW) == "other"
    assert safe.listed(HOME, NOW) == {"prices.token": NOW + HOUR}
    assert safe.remove(HOME, "prices.token")
    assert not safe.remove(HOME, "prices.token")
    assert safe.get(HOME, "prices.token", NOW) is None
    assert safe.get(ROOF, "token", NOW) == "ü☃"


def test_nothing_of_it_is_in_the_database_and_the_key_is_ours_alone(
    safe: Safe, state: State, tmp_path: Path
) -> None:
    safe.put(HOME, "token", WORD)
    state.close()
    (key,) = keys(tmp_path).values()
    for file in tmp_path.glob("state.db*"):
        content = file.read_bytes()
        assert WORD.encode() not in content
        assert key.encode() not in content
    assert (tmp_path / KEYS).stat().st_mode & 0o777 == 0o600


def test_what_has_expired_is_not_told_and_goes(safe: Safe, state: State) -> None:
    safe.put(HOME, "token", WORD, NOW + HOUR)
    safe.put(HOME, "other", WORD)
    assert safe.get(HOME, "token", NOW + HOUR / 2) == WORD
    assert safe.get(HOME, "token", NOW + HOUR) is None
    assert safe.listed(HOME, NOW + HOUR) == {"other": None}
    assert safe.remove_expired(NOW) == 0
    assert safe.remove_expired(NOW + HOUR) == 1
    assert [row.path for row in state.secrets.all().values()] == ["other"]


def test_keys_are_changed_without_changing_a_secret(
    safe: Safe, state: State, tmp_path: Path
) -> None:
    safe.put(HOME, "token", WORD, NOW + HOUR)
    safe.put(ROOF, "token", "other")
    before, rows = keys(tmp_path), state.secrets.all()
    assert safe.rotate() == 2
    after = keys(tmp_path)
    assert len(after) == 1
    assert not before.items() & after.items()
    assert {row.key_id for row in state.secrets.all().values()} == set(after)
    for number, row in state.secrets.all().items():
        assert row.sealed_value != rows[number].sealed_value
        assert row.expires == rows[number].expires
    assert safe.get(HOME, "token", NOW) == WORD
    assert safe.get(ROOF, "token", NOW) == "other"


def test_a_power_cut_while_keys_are_changed_loses_nothing(
    safe: Safe, state: State, tmp_path: Path
) -> None:
    safe.put(HOME, "token", WORD)
    safe.put(ROOF, "token", "other")
    old, rows = keys(tmp_path), state.secrets.all()
    safe.rotate()
    (tmp_path / KEYS).write_text(json.dumps(old | keys(tmp_path)))  # before the old one went
    state.secrets.change(1, rows[1])  # before the first one was done
    assert (safe.get(HOME, "token", NOW), safe.get(ROOF, "token", NOW)) == (WORD, "other")
    assert safe.rotate() == 2
    assert len(keys(tmp_path)) == 1
    assert (safe.get(HOME, "token", NOW), safe.get(ROOF, "token", NOW)) == (WORD, "other")


def test_without_its_key_a_secret_is_lost_and_can_be_set_anew(safe: Safe, tmp_path: Path) -> None:
    safe.put(HOME, "token", WORD)
    (tmp_path / KEYS).unlink()
    with pytest.raises(StoreError, match=r"the key \w{8} of secret 'token' is not in secrets\.key"):
        safe.get(HOME, "token", NOW)
    assert safe.listed(HOME, NOW) == {"token": None}
    assert safe.rotate() == 0
    safe.put(HOME, "token", "new")
    assert safe.get(HOME, "token", NOW) == "new"


@pytest.mark.parametrize("content", ["no json", "[]", '{"a": 1}'])
def test_a_file_that_holds_no_keys_is_said_to_be_so(
    safe: Safe, tmp_path: Path, content: str
) -> None:
    (tmp_path / KEYS).write_text(content)
    with pytest.raises(StoreError, match=r"secrets\.key: holds no keys; set it anew"):
        safe.put(HOME, "token", WORD)
    assert (tmp_path / KEYS).read_text() == content


def test_what_is_not_what_was_kept_is_refused(safe: Safe, state: State, tmp_path: Path) -> None:
    safe.put(HOME, "token", WORD)
    safe.put(ROOF, "token", "other")
    rows = state.secrets.all()
    state.secrets.change(1, replace(rows[1], sealed_value=rows[2].sealed_value))
    with pytest.raises(StoreDamaged, match="'token' is another one"):
        safe.get(HOME, "token", NOW)
    state.secrets.change(1, replace(rows[1], sealed_value="x" + rows[1].sealed_value[1:]))
    with pytest.raises(StoreDamaged, match="'token' is not what was kept"):
        safe.get(HOME, "token", NOW)
    (tmp_path / KEYS).write_text(json.dumps({rows[1].key_id: "none"}))
    with pytest.raises(StoreError, match="holds a key that is none"):
        safe.get(HOME, "token", NOW)


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a.b.c", "a b", "ä", "a\n", "x" * 81])
def test_a_path_has_one_or_two_names(safe: Safe, path: str) -> None:
    with pytest.raises(BadField, match="one or two names"):
        safe.put(HOME, path, WORD)


@pytest.mark.parametrize("value", ["", "x" * 65537])
def test_a_secret_is_neither_empty_nor_endless(safe: Safe, value: str) -> None:
    with pytest.raises(BadField, match="1 to 65536 characters"):
        safe.put(HOME, "token", value)


def test_the_library_is_loaded_when_it_is_needed() -> None:
    code = (
        "import sys, flexedge.gateway.service.secrets;"
        " print([name for name in sys.modules if name.startswith('cryptography')])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
