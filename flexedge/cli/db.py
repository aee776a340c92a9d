"""flexedge db: what is kept, looked at, put right, and brought out and in."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

from flexedge.cli.client import moment
from flexedge.cli.output import print_json, table
from flexedge.config.settings import load_settings
from flexedge.daemon.clock import WallClock
from flexedge.domain.asset import Sensor, Source
from flexedge.errors import FlexedgeError, StoreLocked
from flexedge.store import lock, stats, swap
from flexedge.store.beliefs import Beliefs
from flexedge.store.exchange import Format, Wanted, export, labels
from flexedge.store.glimpse import glimpse
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.check import REMEDIES, Report, check
from flexedge.store.local.disk import about, measure
from flexedge.store.local.engine import Limits
from flexedge.store.local.guard import found as disk_found
from flexedge.store.local.repair import repair
from flexedge.store.owner import acting_as_owner
from flexedge.store.rows import micros
from flexedge.store.snapshots import STATE, Snapshots
from flexedge.store.state import State
from flexedge.store.taking_in import Target, take_in

EX_TROUBLE = 1
_STOP = "stop it with 'sudo systemctl stop flexedge', and start it again afterwards"


def run(options: argparse.Namespace) -> int:
    """Do what was asked for."""
    commands: dict[str, Callable[[argparse.Namespace, Path], int]] = {
        "check": _check, "repair": _repair, "export": _export, "import": _import,
        "stats": _stats, "migrate": _migrate,
    }  # fmt: skip
    folder = load_settings(options.settings, os.environ).whole_folder()
    with acting_as_owner(folder):
        return commands[options.what](options, folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder for oneself; what is to be done with a gateway that has it is told."""
    with ExitStack() as stack:
        try:
            stack.enter_context(lock.hold(folder))
        except StoreLocked as error:
            raise StoreLocked(f"{error}; {_STOP}") from error
        swap.finish(folder)
        yield


def _check(options: argparse.Namespace, folder: Path) -> int:
    """Exit code 1 when something has to be done."""
    with ExitStack() as stack:
        place = folder
        try:
            stack.enter_context(lock.hold(folder))
        except StoreLocked:
            place = stack.enter_context(glimpse(folder))
        report = check(place, deep=options.deep)
    _tell(options, report)
    return 0 if report.sound else EX_TROUBLE


def _repair(options: argparse.Namespace, folder: Path) -> int:
    """Exit code 1 when something is left to do."""
    with _held(folder):
        done = repair(folder, WallClock().now())
    if options.json:
        print_json({"done": done.done, "after": _as_json(done.after)})
    else:
        for sentence in done.done or ("nothing had to be done",):
            print(sentence)
        _tell(options, done.after)
    return 0 if done.after.sound else EX_TROUBLE


def _tell(options: argparse.Namespace, report: Report) -> None:
    if options.json:
        print_json(_as_json(report))
        return
    for one in report.findings:
        print(f"! {one}")
    how = "sound" if report.sound else "not all sound"
    print(f"{report.files} partitions, {report.rows} rows, {report.size / 1e6:.1f} MB: {how}")


def _as_json(report: Report) -> dict[str, object]:
    findings = [asdict(one) | {"help": REMEDIES[one.remedy]} for one in report.findings]
    return asdict(report) | {"sound": report.sound, "findings": findings}


def _export(options: argparse.Namespace, folder: Path) -> int:
    target = options.file.absolute()
    form: Format = options.format or ("parquet" if target.suffix == ".parquet" else "csv")
    with _open(folder, target) as (archive, state):
        number, sensor = _sensor(state, options.sensor)
        wanted = Wanted(
            number, sensor, options.what_rows,
            None if options.start is None else micros(moment(options.start)),
            None if options.end is None else micros(moment(options.end)),
        )  # fmt: skip
        rows = export(archive, wanted, state.sources(), target, form)
    what = {"file": str(options.file), "rows": rows, "unit": sensor.unit, "format": form}
    print_json(what) if options.json else print(f"{options.file}: {rows} rows of {sensor.name}")
    return 0


@contextmanager
def _open(folder: Path, beside: Path) -> Iterator[tuple[LocalArchive, State]]:
    """What there is now, also while a gateway goes on."""
    with ExitStack() as stack:
        place = stack.enter_context(glimpse(folder))
        state = State(place / STATE)
        stack.callback(state.close)
        archive = LocalArchive(place, WallClock().now(), Limits(beside=(beside.parent,)))
        stack.callback(archive.close)
        yield archive, state


def _sensor(state: State, name: str) -> tuple[int, Sensor]:
    sensors = {one.name: (number, one) for number, one in state.sensors().items()}
    if name not in sensors:
        near = get_close_matches(name, sensors, 3) or sorted(sensors)
        raise FlexedgeError(f"there is no sensor {name!r}; there are {', '.join(near) or 'none'}")
    return sensors[name]


def _import(options: argparse.Namespace, folder: Path) -> int:
    """Exit code 1 when a row is bad."""
    with _held(folder), ExitStack() as stack:
        state = State(folder / STATE)
        stack.callback(state.close)
        archive = LocalArchive(folder, WallClock().now())
        beliefs = Beliefs(archive, state)
        stack.callback(beliefs.close)
        number, sensor = _sensor(state, options.sensor)

        def source(name: str) -> int:
            known = {label: one for one, label in labels(state.sources()).items()}
            return known[name] if name in known else beliefs.source(Source(name, "reporter"))

        target = Target(number, sensor, options.unit, options.source, source)
        intake = take_in(archive, folder, options.file, target, skip_bad=options.skip_bad)
    if options.json:
        print_json(asdict(intake))
    else:
        for sentence in intake.told:
            print(f"{options.file}: {sentence}")
        if intake.bad > len(intake.told):
            print(f"and {intake.bad - len(intake.told)} more")
        if intake.bad and not options.skip_bad:
            print(f"nothing was stored: {intake.bad} of {intake.rows} rows are bad;"
                  " mend them, or leave them out with --skip-bad")  # fmt: skip
        else:
            print(f"{intake.stored} rows stored ({intake.replaced} in the place of others),"
                  f" {intake.known} were there already, {intake.bad} were left out")  # fmt: skip
    return EX_TROUBLE if intake.bad else 0


def _stats(options: argparse.Namespace, folder: Path) -> int:
    from flexedge.daemon.compose import keeping  # noqa: PLC0415 (all of the daemon comes with it)

    keep, bounds = keeping(load_settings(options.settings, os.environ).store)
    with _open(folder, folder) as (archive, state):
        found = stats.look(archive, state.sensors())
        room = measure(folder)
        disk = disk_found(room, bounds, keep, archive.partitions(), WallClock().now())
    days = None if disk.full_in is None else disk.full_in / timedelta(days=1)
    if options.json:
        facts = {"size": room.size, "free": room.free, "used": room.used, "full-in-days": days}
        print_json({**asdict(found), "disk": facts})
        return 0
    rows = [
        (k.kind, k.files, k.rows, k.size / 1e6, k.first, k.last, k.daily / 1e3) for k in found.kinds
    ]
    print(table(("kind", "files", "rows", "MB", "first", "last", "kB a day"), rows))
    print(f"\njournal: {found.waiting} rows wait for the next hour's files,"
          f" {found.undated} readings for the right time")  # fmt: skip
    full = "not within ten years" if disk.full_in is None else about(disk.full_in)
    print(f"disk: {room.free / 1e9:.1f} GB free of {room.size / 1e9:.1f},"
          f" the folder takes {room.used / 1e6:.1f} MB; full, as things go now: {full}\n")  # fmt: skip  # noqa: E501
    each = [(s.sensor, s.readings, s.beliefs, s.first, s.last) for s in found.sensors]
    print(table(("sensor", "readings", "beliefs", "first", "last"), each))
    return 0


def _migrate(options: argparse.Namespace, folder: Path) -> int:
    from flexedge.store.tables.migrate import migrate  # noqa: PLC0415 (Alembic takes long)
    from flexedge.store.tables.revisions import NEWEST  # noqa: PLC0415 (with it)

    path = folder / STATE
    with _held(folder):
        if not path.exists():
            raise FlexedgeError(f"{path} is not there yet; 'flexedge run' makes it")
        kept = Snapshots(folder).take(WallClock().now()).path.relative_to(folder)
        before, after = migrate(path, options.to or NEWEST)
    print(f"{path}: revision {before or 'none'} to {after}; as it was: {kept}")
    return 0
