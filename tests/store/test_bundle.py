import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.bundle import Gone, Item, Manifest, contents, look, pack

NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILES = {
    "state.db": b"the state" * 1000,
    "journal.db": b"",
    "history/readings/000000000001-000000000007-0-0.parquet": bytes(range(256)) * 9000,
}


def manifest(files: dict[str, bytes]) -> Manifest:
    items = [
        Item(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    ]
    return Manifest("2026-11-26T00:00:00+00:00", "1.2", "0002", tuple(items))


def packed(folder: Path) -> bytes:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    out = io.BytesIO()
    pack(out, manifest(FILES), {name: folder / name for name in FILES}, NOW)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    file = io.BytesIO(data)
    found = look(file)
    return {item.name: b"".join(pieces) for item, pieces in contents(file, found)}


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    data = packed(tmp_path)
    assert unpacked(data) == FILES
    assert look(io.BytesIO(data)) == manifest(FILES)
    assert manifest(FILES).size == 9000 + 256 * 9000


def test_any_tar_can_read_it(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as tar:
        assert tar.getnames() == ["manifest.json", *FILES]
        assert {member.mode for member in tar.getmembers()} == {0o600}


def test_what_nobody_asks_for_is_compared_all_the_same(tmp_path: Path) -> None:
    data = packed(tmp_path)
    at = data.index(FILES["state.db"])
    file = io.BytesIO(data[:at] + b"T" + data[at + 1 :])
    found = look(file)
    with pytest.raises(StoreDamaged, match=r"state\.db .* checksum"):
        for _item, _pieces in contents(file, found):
            pass


def test_no_flipped_byte_and_no_lost_end_passes_for_the_content(tmp_path: Path) -> None:
    data = packed(tmp_path)
    found = 0
    for at in (*range(0, 3000, 41), len(data) // 2):
        bad = bytearray(data)
        bad[at] ^= 0x15
        try:
            assert unpacked(bytes(bad)) == FILES  # a time or the padding, which say nothing
        except StoreError:
            found += 1
    assert found > 30
    for length in (0, 100, 600, 5000, 20_000, len(data) - 2_000_000):
        with pytest.raises(StoreDamaged):
            unpacked(data[:length])


def test_a_file_that_changed_or_went_is_not_packed(tmp_path: Path) -> None:
    packed(tmp_path)
    sources = {name: tmp_path / name for name in FILES}
    (tmp_path / "state.db").write_bytes(b"The state" * 1000)
    with pytest.raises(StoreDamaged, match="does not fit its checksum"):
        pack(io.BytesIO(), manifest(FILES), sources, NOW)
    (tmp_path / "state.db").write_bytes(b"more")
    with pytest.raises(StoreDamaged, match="size"):
        pack(io.BytesIO(), manifest(FILES), sources, NOW)
    (tmp_path / "state.db").unlink()
    with pytest.raises(Gone, match=r"state\.db is gone"):
        pack(io.BytesIO(), manifest(FILES), sources, NOW)


def hostile(listed: Any, members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        text = listed if isinstance(listed, bytes) else json.dumps(listed).encode()
        for info, data in [(tarfile.TarInfo("manifest.json"), text), *members]:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def listing(*items: Any, **more: Any) -> dict[str, Any]:
    made = {"format": 1, "made": "", "flexedge": "9.9", "revision": "0002"}
    return made | {"items": [vars_of(item) for item in items]} | more


def vars_of(item: Any) -> Any:
    return {"name": item.name, "size": item.size, "sha256": item.sha256}


EMPTY = Item("state.db", 0, hashlib.sha256(b"").hexdigest())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../state.db", "history/../../x.parquet", "history/readings/../x.parquet",
     "history/readings/.parquet", "state.db\n", "history/readings/x.parquet/", "lock", "",
     "history//x.parquet", "history/readings/a/b.parquet", "backup/state-000001.db"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    item = replace(EMPTY, name=name)
    with pytest.raises(StoreDamaged, match="does not belong"):
        unpacked(hostile(listing(item), [(member(name), b"")]))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
             tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME],
)  # fmt: skip
def test_what_is_no_plain_file_is_refused(kind: bytes) -> None:
    with pytest.raises(StoreDamaged, match="no plain file"):
        unpacked(hostile(listing(EMPTY), [(member("state.db", kind, "/etc/passwd"), b"")]))


def huge() -> bytes:
    """A member that says it holds 8 GiB, and so does the list."""
    item = replace(EMPTY, size=(8 << 30) - 1)
    info = member("state.db")
    data = hostile(listing(item), [(info, b"")])
    info.size = item.size
    at = data.index(b"state.db\0")
    return data[:at] + info.tobuf(tarfile.USTAR_FORMAT) + data[at + 512 :]


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a size that is not there": (huge, "ends early"),
    "twice": (lambda: hostile(listing(EMPTY, EMPTY), []), "lists a file twice"),
    "twice in the tar": (
        lambda: hostile(listing(EMPTY), [(member("state.db"), b"")] * 2), "otherwise than it lists",
    ),
    "not listed": (
        lambda: hostile(listing(EMPTY), [(member("journal.db"), b"")]), "otherwise than it lists",
    ),
    "of another size": (
        lambda: hostile(listing(EMPTY), [(member("state.db"), b"x")]), "otherwise than it lists",
    ),
    "missing": (lambda: hostile(listing(EMPTY), []), r"ends early: state\.db is missing"),
    "a negative size": (
        lambda: hostile(listing(replace(EMPTY, size=-1)), []), "does not belong",
    ),
    "no checksum": (lambda: hostile(listing(replace(EMPTY, sha256="x")), []), "does not belong"),
    "no list": (lambda: hostile([], []), "cannot be read"),
    "no JSON": (lambda: hostile(b"{", []), "cannot be read"),
    "no text": (lambda: hostile(b"\xff\xfe\xff", []), "cannot be read"),
    "too deep": (lambda: hostile(b"[" * 100_000, []), "cannot be read"),
    "items that are none": (lambda: hostile(listing(items=[1]), []), "cannot be read"),
    "no backup": (lambda: b"PK\3\4" * 1000, "damaged"),
    "nothing": (lambda: b"", "this is no backup"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_backup_that_is_not_as_it_says_is_refused(case: str) -> None:
    make, words = CASES[case]
    with pytest.raises(StoreDamaged, match=words):
        unpacked(make())


def test_a_newer_format_names_its_version() -> None:
    with pytest.raises(StoreError, match=r"made by flexedge 9\.9 in a newer format \(2"):
        unpacked(hostile(listing(format=2), []))
