"""The store over years: beside bare SQLite, bare DuckDB and FlexMeasures' own storage.

Each part is measured in turn with the other. FlexMeasures' storage is measured where
FLEXMEASURES_PYTHON names an environment that has it, and Debian's PostgreSQL is installed.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench import believed
from bench.believed import History, Question
from bench.measure import Row, goal, in_turn, seconds
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Reading
from flexedge.store.archive import Archive, Asked, Keep, Stamp
from flexedge.store.beliefs import Beliefs as Facade
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.engine import Limits
from flexedge.store.rows import Beliefs, Readings, micros, moment
from flexedge.store.state import State

_RIGHT = Stamp("", 0, trusted=True)
_FOR_EVER = Keep(None, None, None, None)
_BATCH = 200
_MB_ALLOWED, _GB_ALLOWED = 250.0, 0.5
_DAY_S = 86_400
_WHOLE = "lazy_itable_init=0,lazy_journal_init=0"  # else ext4 goes on writing for itself


def rows(*, quick: bool) -> Iterator[Row]:
    """Acknowledging, importing, asking, living, and FlexMeasures."""
    with tempfile.TemporaryDirectory() as name:
        yield _acknowledged(Path(name), 20 if quick else 300)
    sizes = (History(420_000, 210_000),) if quick else tuple(
        History(millions * 1_000_000, 1_000_000) for millions in (1, 10, 50))  # fmt: skip
    for history in sizes:
        with tempfile.TemporaryDirectory() as name:
            yield from _over(Path(name), history, 3 if quick else 15)
    yield from _day(600 if quick else _DAY_S)
    yield from _flexmeasures(quick=quick)


def _acknowledged(folder: Path, rounds: int) -> Row:
    """From readings in memory until they are safe from a power cut."""
    archive = LocalArchive(folder / "ours", believed.START, Limits(), _FOR_EVER)
    facade = Facade(archive, State(folder / "state.db"))
    names = {facade.register(Sensor(f"s{i}", "kW")): f"s{i}" for i in range(40)}
    bare = believed.sqlite(folder / "bare.db")
    batches = [believed.readings(number, _BATCH) for number in range(rounds)]
    spoken = [
        [Reading(names[sensor], moment(at), value) for sensor, at, value, _ in batch]
        for batch in batches
    ]
    ours_next, bare_next = iter(spoken), iter(batches)

    def ours() -> None:
        facade.append(next(ours_next))
        facade.flush()

    figures = in_turn(
        lambda: _BATCH / seconds(ours),
        lambda: _BATCH / seconds(lambda: believed.group_commit(bare, next(bare_next))),
        rounds,
    )
    facade.close()
    bare.close()
    what = f"readings acknowledged, {_BATCH} to a commit"
    return Row(what, "/s", *figures, "SQLite, WAL FULL", goal(least=0.8))


def _over(folder: Path, history: History, rounds: int) -> Iterator[Row]:
    """Import all of a history, then ask."""
    archive = LocalArchive(folder / "ours", believed.START, Limits(memory_mb=128), _FOR_EVER)
    parts = folder / "parts"
    parts.mkdir()
    ours, other = [], []
    with believed.engine(folder) as bare:
        for number in range(history.pieces):
            part, path = history.part(number), parts / f"{number:03d}.parquet"
            took = seconds(lambda part=part: _commit(archive, part))  # type: ignore[misc]
            ours.append(len(part) / took)
            took = seconds(lambda part=part, path=path: believed.copy(bare, part, path))  # type: ignore[misc]
            other.append(len(part) / took)
    millions = f"{history.rows / 1e6:g} M"
    yield Row(f"import of {millions} beliefs", "/s", ours, other, "DuckDB's COPY", goal(least=0.7))
    tidy = seconds(lambda: archive.maintain(history.end))
    print(f"  maintenance after it: {tidy:.1f} s, {_size_mb(folder / 'ours'):.0f} MB", flush=True)
    whole = believed.sort(folder, parts)
    shutil.rmtree(parts)
    with believed.engine(folder) as bare:
        for question in believed.questions(history.end):
            yield _asked(archive, bare, question, whole, rounds, millions)
    archive.close()


def _commit(archive: Archive, part: Beliefs) -> None:
    archive.commit(Readings.empty(), part, _RIGHT)


def _asked(
    archive: Archive, bare: Any, question: Question, whole: Path, rounds: int, millions: str
) -> Row:
    sql = question.sql(whole)

    def ours() -> Beliefs:
        if question.newest:
            return archive.newest(question.sensors, question.end)
        return archive.beliefs(
            Asked(question.sensors, question.start, question.end,
                  believed_until=question.as_of), {})  # fmt: skip

    found, expected = ours(), believed.asked(bare, sql)
    if found.value.tolist() != expected["value"].tolist():
        raise RuntimeError(
            f"{question.what}: {len(found)} and {len(expected['value'])} rows differ"
        )
    figures = in_turn(
        lambda: 1e3 * seconds(ours),
        lambda: 1e3 * seconds(lambda: believed.asked(bare, sql)),
        rounds,
    )
    what = f"{question.what} of {millions} ({len(found)} rows)"
    return Row(what, "ms", *figures, "DuckDB, one sorted folder", goal(most=1.3))


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@dataclass(frozen=True, slots=True)
class _Disk:
    """A folder, and how much has been written below it."""

    folder: Path
    written: Path | None
    """The statistics of the device that is for it alone; None: what the process says counts."""

    def sectors(self) -> int:
        return int(self.written.read_text(encoding="ascii").split()[6]) if self.written else 0


@contextlib.contextmanager
def _disk(size_mb: int) -> Iterator[_Disk]:
    """A file system of its own for root, a folder for anybody else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield _Disk(folder, None)
            return
        image, mount = folder / "image", folder / "mount"
        mount.mkdir()
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", _WHOLE, image], check=True)
        subprocess.run(["mount", "-o", "loop", image, mount], check=True)
        try:
            found = subprocess.run(["findmnt", "-no", "SOURCE", mount],
                                   check=True, capture_output=True, text=True)  # fmt: skip
            yield _Disk(mount, Path("/sys/block", Path(found.stdout.strip()).name, "stat"))
        finally:
            subprocess.run(["umount", mount], check=True)


def _day(span_s: int) -> Iterator[Row]:
    """40 readings a second and day charts at once: memory, and what goes to the disk."""
    with _disk(2048) as disk:
        os.sync()
        before = disk.sectors()
        command = [sys.executable, "-m", "bench.day", str(disk.folder / "data"), str(span_s)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None  # noqa: S101
            told = json.loads(process.stdout.read() or "{}")
        os.sync()
        written = 512 * (disk.sectors() - before) if disk.written else told["written"]
    if process.returncode:
        raise RuntimeError("the process of the day did not end well")
    about = f"{span_s / 3600:.3g} h of 40 readings/s, {told['charts']} day charts at once"
    yield Row(f"peak memory, {about}", "MB", [told["peak_mb"]], [_MB_ALLOWED], "allowed",
              goal(most=1.0))  # fmt: skip
    daily = written / 1e9 * _DAY_S / span_s
    where = "its own ext4" if disk.written else "as the process says"
    yield Row(f"written a day, {where}", "GB", [daily], [_GB_ALLOWED], "allowed", goal(most=1.0))


def _flexmeasures(*, quick: bool) -> Iterator[Row]:
    """Saving 10 000 values and reading a sensor-year, on our files and on the same PostgreSQL."""
    python = os.environ.get("FLEXMEASURES_PYTHON")
    if python is None:
        print("  FlexMeasures is not measured: name its Python in FLEXMEASURES_PYTHON", flush=True)
        return
    from flexedge.store.postgres.archive import PostgresArchive  # noqa: PLC0415 (optional)
    from tests.store.pg_server import PgServer  # noqa: PLC0415 (likewise)

    year, batch, rounds = (2_000, 1_000, 2) if quick else (105_120, 10_000, 9)
    with PgServer(settings=()) as server, tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("beliefs_peer.py")
        url = server.new_database().replace("postgresql:", "postgresql+psycopg2:")
        sizes = [str(number) for number in (year, batch, rounds)]
        done = subprocess.run([python, "-W", "ignore", script, url, *sizes],
                              check=True, capture_output=True, text=True)  # fmt: skip
        told: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
        name = server.new_database()
        archives: dict[str, Archive] = {
            "files": LocalArchive(Path(folder), believed.START, Limits(), _FOR_EVER),
            "PostgreSQL": PostgresArchive(name, _FOR_EVER),
        }
        for where, archive in archives.items():
            yield from _beside(archive, where, (year, batch, rounds), told)
            archive.close()


def _beside(
    archive: Archive, where: str, sizes: Sequence[int], told: dict[str, list[float]]
) -> Iterator[Row]:
    year, batch, rounds = sizes
    at = np.arange(year)
    event = micros(believed.START) + at * 300_000_000
    one = Beliefs.of(
        {"sensor": np.ones(year), "source": np.ones(year), "event_us": event,
         "belief_us": event - 3_600_000_000, "probability": np.full(year, 0.5), "value": at / 8}
    )  # fmt: skip
    save = [
        1e3 * seconds(lambda first=first: _commit(archive, one.take(at[first : first + batch])))  # type: ignore[misc]
        for first in range(0, year, batch)
    ]
    end = believed.START + timedelta(minutes=5) * year
    ask = Asked((1,), believed.START, end)
    if len(archive.beliefs(ask, {})) != year:
        raise RuntimeError("not all came back")
    read = [1e3 * seconds(lambda: archive.beliefs(ask, {})) for _ in range(rounds)]
    other = "FlexMeasures' timely-beliefs"
    for what, ours, theirs in (("saved", save, told["save"]), ("read", read, told["read"])):
        n = batch if what == "saved" else year
        yield Row(f"{n} values {what}, {where}", "ms", ours, [1e3 * took for took in theirs],
                  other, goal(most=1 / 20))  # fmt: skip
