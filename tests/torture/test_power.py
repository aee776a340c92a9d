"""The disk that loses power, on traces short enough to say what may be left."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.torture.power import MODELS, Disk, Model, Variant
from tests.torture.trace import CREATED, IS_FOLDER, Act, Event, events, forgetting

_VARIANTS: tuple[Variant, ...] = ("killed", "synced", "random", "ordered")
Left = frozenset[tuple[str, bytes]]


def made(path: str, file: int) -> Event:
    return Event(Act.OPEN, CREATED, file, 0, path.encode())


def wrote(file: int, data: bytes, offset: int = 0) -> Event:
    return Event(Act.WRITE, 0, file, offset, data)


def synced(file: int) -> Event:
    return Event(Act.FSYNC, 0, file, 0, b"")


def folder(path: str, file: int) -> list[Event]:
    """Opened and synced."""
    return [
        Event(Act.OPEN, IS_FOLDER, file, 0, path.encode()),
        Event(Act.SYNC_FOLDER, 0, file, 0, b""),
    ]


def named(act: Act, *paths: str) -> Event:
    return Event(act, 0, 0, 0, "\n".join(paths).encode())


def left(model: Model, trace: Sequence[Event], tries: int = 300) -> set[Left]:
    """All that may be left at the end, as far as chance finds it."""
    disk, chance = Disk(model), random.Random(1)
    for event in trace:
        disk.follow(event)
    return {
        frozenset((name, bytes(data)) for name, data in disk.after_cut(how, chance).files.items())
        for how in _VARIANTS
        for _ in range(tries)
    }


ATOMIC = [
    made("a.new", 1), wrote(1, b"old"), synced(1), named(Act.RENAME, "a.new", "a"), *folder("", 9),
    made("a.new", 2), wrote(2, b"new"), synced(2), named(Act.RENAME, "a.new", "a"),
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_a_file_that_is_put_in_place_is_old_or_new(model: Model) -> None:
    contents = {dict(one).get("a") for one in left(model, ATOMIC)}
    assert contents == {b"old", b"new"}
    after = left(model, [*ATOMIC, *folder("", 9)])
    assert after == {frozenset({("a", b"new")})}


def test_without_a_sync_of_the_file_anything_may_be_in_it() -> None:
    hasty = [event for event in ATOMIC if event.act is not Act.FSYNC]
    contents = {dict(one).get("a") for one in left("harsh", hasty)}
    assert {b"", b"old", b"new"} <= contents


def test_a_sync_of_another_folder_helps_on_ext4_only() -> None:
    trace = [named(Act.MKDIR, "x"), *folder("", 9), named(Act.MKDIR, "y"), made("x/a", 1),
             wrote(1, b"a"), synced(1)]  # fmt: skip
    assert all(("x/a", b"a") in one for one in left("ext4", trace))
    assert frozenset() in left("harsh", trace)
    assert left("harsh", [*trace, *folder("x", 8)]) == {frozenset({("x/a", b"a")})}


@pytest.mark.parametrize("model", MODELS)
def test_a_rename_from_folder_to_folder_loses_nothing(model: Model) -> None:
    trace = [named(Act.MKDIR, "x"), named(Act.MKDIR, "y"), *folder("", 9), made("x/a", 1),
             wrote(1, b"a"), synced(1), *folder("x", 8),
             named(Act.RENAME, "x/a", "y/b")]  # fmt: skip
    assert left(model, trace) == {frozenset({("x/a", b"a")}), frozenset({("y/b", b"a")})}


@pytest.mark.parametrize("model", MODELS)
def test_writes_are_torn_at_sectors_or_pages(model: Model) -> None:
    begun = [made("a", 1), wrote(1, bytes(8192)), synced(1), *folder("", 9)]
    contents = {dict(one)["a"] for one in left(model, [*begun, wrote(1, b"x" * 8192)])}
    assert {content.count(b"x") % (512 if model == "harsh" else 4096) for content in contents} == {
        0
    }
    if model == "ext4":
        assert {(one[0], one[-1]) for one in contents} == {(0, 0), (0, 120), (120, 0), (120, 120)}
    else:
        assert any(one[:512] != one[512:1024] for one in contents)


def test_on_ext4_a_file_grows_from_its_old_end_on() -> None:
    begun = [made("a", 1), wrote(1, b"a" * 4096), synced(1), *folder("", 9)]
    more = [wrote(1, b"b" * 4096, 4096), wrote(1, b"c" * 4096, 8192)]
    contents = {dict(one)["a"][4096:] for one in left("ext4", begun + more)}
    assert contents == {b"", b"b" * 4096, b"b" * 4096 + b"c" * 4096}
    assert bytes(4096) + b"c" * 4096 in {
        dict(one)["a"][4096:] for one in left("harsh", begun + more)
    }


@pytest.mark.parametrize("model", MODELS)
def test_what_was_killed_has_all_of_it(model: Model) -> None:
    disk = Disk(model)
    for event in [*ATOMIC, named(Act.MKDIR, "x"), made("x/b", 3), wrote(3, b"b"),
                  Event(Act.TRUNCATE, 0, 3, 3, b""), Event(Act.ALLOCATE, 0, 3, 4, b""),
                  named(Act.LINK, "x/b", "c"), Event(Act.ACK, 0, 0, 0, b"7 123\n")]:  # fmt: skip
        disk.follow(event)
    image = disk.after_cut("killed", random.Random(1))
    assert image.folders == ("x",)
    assert image.files == {"a": b"new", "x/b": b"b\0\0\0", "c": b"b\0\0\0"}
    assert disk.acked == 7


def test_a_program_that_forgets_syncs_is_a_trace_without_them() -> None:
    log = [made("a.db-wal", 5), wrote(5, b"x"), synced(5)]
    whole = [*ATOMIC, *folder("", 9), *log]
    folders = list(forgetting(iter(whole), "folders"))
    assert Act.SYNC_FOLDER not in {event.act for event in folders}
    assert len(folders) == len(whole) - 2
    assert list(forgetting(iter(whole), "logs")) == whole[:-1]
    assert list(forgetting(iter(whole), "nothing")) == whole


def test_a_trace_ends_with_the_last_whole_event(tmp_path: Path) -> None:
    head = (2).to_bytes(4, "little") + bytes(4) + (5).to_bytes(8, "little") + bytes(8)
    event = head + (3).to_bytes(8, "little") + b"abc"
    (tmp_path / "trace").write_bytes(event + event[:-1])
    assert list(events(tmp_path / "trace")) == [wrote(5, b"abc")]
