from datetime import UTC, datetime
from pathlib import Path

import pytest

from flexedge.errors import StoreError, StoreLocked
from flexedge.store.lock import hold
from flexedge.store.opening import open_state
from flexedge.store.reset import factory_reset
from flexedge.store.snapshots import Snapshots
from flexedge.store.state import State

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_nothing_is_left_to_come_back(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.remember("web.password", "a hash")
    state.close()
    Snapshots(tmp_path).take(NOW)
    (tmp_path / "site.yaml").write_text("mine")
    (tmp_path / "centres").mkdir()
    (tmp_path / "centres" / "main.json").write_text("a credential")
    factory_reset(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "site.yaml"]
    state, alarm = open_state(tmp_path, NOW)
    assert (state.fact("web.password"), alarm) == (None, "")
    state.close()


def test_it_needs_the_folder_for_itself(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("in use")
    with hold(tmp_path), pytest.raises(StoreLocked):
        factory_reset(tmp_path)
    assert (tmp_path / "state.db").read_text() == "in use"
    with pytest.raises(StoreError, match="none"):
        factory_reset(tmp_path / "none")
