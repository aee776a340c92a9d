import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import StoreError
from flexedge.store import swap

OLD = {
    "state.db": "old",
    "state.db-wal": "old log",
    "journal.db": "old",
    "history/readings/1.parquet": "old 1",
    "claim-code": "code",
    "backup/state-000001.db": "kept",
    "lock": "1",
}
NEW = {"state.db": "new", "journal.db": "new", "history/readings/2.parquet": "new 2"}
AFTER = NEW | {"backup/state-000001.db": "kept", "lock": "1"}


def write(folder: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def read(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, OLD)
    return tmp_path


def exchange(folder: Path) -> None:
    write(swap.begin(folder), NEW)
    swap.decide(folder, swap.SERIES)


def test_the_new_takes_the_place_of_the_old(folder: Path) -> None:
    exchange(folder)
    assert read(folder) == AFTER
    assert not (folder / "incoming").exists()


def test_what_was_not_decided_is_dropped(folder: Path) -> None:
    write(swap.begin(folder), {"state.db": "half"})
    swap.finish(folder)
    assert read(folder) == OLD
    assert not (folder / "incoming").exists()
    write(swap.begin(folder), {"state.db": "half"})
    assert list(swap.begin(folder).iterdir()) == []


def test_without_anything_to_finish_nothing_happens(folder: Path) -> None:
    swap.finish(folder)
    assert read(folder) == OLD


class PowerCut(BaseException):
    """Not an error that anybody could handle."""


@contextmanager
def cut_at(number: int, error: BaseException) -> Iterator[list[int]]:
    """Let the n-th call that changes the disk fail instead, with those after it."""
    calls = [0]
    patch = pytest.MonkeyPatch()

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            calls[0] += 1
            if calls[0] >= number:
                raise error
            return real(*args, **named)

        return call

    for name in ("rename", "replace", "unlink", "rmdir", "fsync", "mkdir"):
        patch.setattr(os, name, failing(getattr(os, name)))
    try:
        yield calls
    finally:
        patch.undo()


@pytest.mark.parametrize("error", [PowerCut(), OSError(errno.EIO, "Input/output error")])
def test_after_a_cut_anywhere_it_is_the_old_or_the_new(
    tmp_path: Path, error: BaseException
) -> None:
    seen = set()
    for number in range(1, 60):
        folder = tmp_path / str(number)
        write(folder, OLD)
        done = False
        with cut_at(number, error) as calls:
            try:
                exchange(folder)
                done = True
            except (PowerCut, StoreError, OSError):
                pass
        # The next one is cut, too, in the middle of finishing it.
        with cut_at(3, PowerCut()), suppress(PowerCut, StoreError):
            swap.finish(folder)
        swap.finish(folder)
        found = read(folder)
        assert found in (OLD, AFTER), number
        assert not (folder / "incoming").exists()
        seen.add(found == OLD)
        if done:
            assert found == AFTER
            assert calls[0] < number
            break
        shutil.rmtree(folder)
    else:
        raise AssertionError("there are more calls")
    assert seen == {True, False}


def test_links_are_removed_and_not_followed(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, {"precious": "mine"})
    shutil.rmtree(folder / "history")
    (folder / "history").symlink_to(elsewhere)
    exchange(folder)
    assert read(elsewhere) == {"precious": "mine"}
    assert read(folder) == AFTER


def test_a_plan_that_cannot_be_read_is_told(folder: Path) -> None:
    write(folder, {"incoming/plan": "{"})
    with pytest.raises(StoreError, match="plan does not say what was to be done"):
        swap.finish(folder)
    assert read(folder) == OLD | {"incoming/plan": "{"}


def test_everything_is_all_that_a_gateway_makes(tmp_path: Path) -> None:
    write(tmp_path, OLD | {"quarantine/x": "x", "ballast": "x", "temp/x": "x", "runtime.json": "x",
                           "beliefs.duckdb.wal": "x", "site.yaml": "mine"})  # fmt: skip
    swap.begin(tmp_path)
    swap.decide(tmp_path, swap.ALL)
    assert read(tmp_path) == {"lock": "1", "site.yaml": "mine"}
