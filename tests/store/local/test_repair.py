from datetime import timedelta
from pathlib import Path

from flexedge.store.local.repair import repair
from flexedge.store.rows import EPOCH, Buckets
from flexedge.store.snapshots import Snapshots
from tests.store.keeping import fill, opened
from tests.store.local.damaging import files, spoil
from tests.store.local.rows_made import NOW

MINUTES = timedelta(minutes=5)


def sums(data: Path) -> Buckets:
    with opened(data) as (archive, _, _):
        return archive.buckets([1], EPOCH, MINUTES, 36)


def test_nothing_is_deleted_and_sums_are_made_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    before = sums(data)
    for path in (*files(data, "minutes"), *files(data, "hours"), files(data, "beliefs")[0]):
        spoil(path)
    damaged = sorted(path.read_bytes() for path in (*files(data, "minutes"), *files(data, "hours")))
    done = repair(data, NOW)
    assert len(done.done) == 5
    assert done.after.sound
    assert done.after.findings == ()
    kept = [path.read_bytes() for path in (data / "quarantine").iterdir()]
    assert all(content in kept for content in damaged)
    again = sums(data)
    assert again.count.tolist() == before.count.tolist() == [30] * 36
    assert again.mean.tolist() == before.mean.tolist()
    assert repair(data, NOW).done == ()


def test_all_databases_are_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    with opened(data) as (_, state, _):
        state.remember("owner", "me")
    Snapshots(data).take(NOW)
    for name in ("state.db", "journal.db"):
        (data / name).write_bytes(b"no database" * 4096)
    done = repair(data, NOW)
    begin = [sentence.partition(" ")[0] for sentence in done.done]
    assert begin == ["state.db", "journal.db", "the"]
    assert done.after.sound
    with opened(data) as (archive, state, _):
        assert state.fact("owner") == "me"
        assert len(archive.readings([1], EPOCH, NOW)) == 720  # without those in the journal
