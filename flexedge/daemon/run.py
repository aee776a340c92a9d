"""The life of the daemon: start, serve, end in the order of a stack."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from flexedge import __version__
from flexedge.config.check import LoadedSite, load_site
from flexedge.config.settings import Settings
from flexedge.daemon import log, notify
from flexedge.daemon.centres import keep_in_step
from flexedge.daemon.clock import Clock, SharedClock, WallClock
from flexedge.daemon.compose import Composed, compose, parts_of, somewhere
from flexedge.daemon.door import open_door, work_on
from flexedge.daemon.ending import Ending
from flexedge.daemon.house import keep_house
from flexedge.daemon.jobs import Jobs
from flexedge.daemon.kernel import facts
from flexedge.daemon.loops import Loop, Service
from flexedge.daemon.timekeeping import Timekeeping
from flexedge.daemon.trust import Facts
from flexedge.gateway.aggregate import LOOK_BACK
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.guard import guarded, guarded_job
from flexedge.store import standin
from flexedge.store.archive import Stamp

_RELEASE_S = 2.5  # how long devices get to take the release at the end
_WATCH = timedelta(seconds=5)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_SILENT = timedelta(seconds=60)
_IN_MEMORY = (
    "{}; what is read and planned is in memory only until it takes writes again (asked once a"
    " minute), and lost without power"
)
_log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    log.set_up(settings.log.level, settings.log.format)
    loaded = load_site(settings.site, settings.profile_dirs)
    with Ending() as ending:
        ending.on_signals()
        while live(settings, loaded, ending, WallClock):
            _log.warning("flexedge begins anew, because the clock was set or the disk is back")
    return 0


def live(
    settings: Settings,
    loaded: LoadedSite,
    ending: Ending,
    wall: Callable[[], WallClock],
    facts: Callable[[], Facts] = facts,
) -> bool:
    """One run, until something comes from ``ending``; whether another is to follow."""
    with ExitStack() as stack:
        here, refusal = somewhere(settings, stack)
        clock = _clock(settings, wall, stack)
        composed = compose(here, loaded, clock, stack)
        keeping = _keeping(settings, composed.gateway, clock, facts)
        if keeping is not None:
            keeping.on_step = ending.again
            keeping.step(clock.now())
        jobs = _start(here, composed, clock, keeping, stack)
        if not refusal:
            # What stands in for a disk is forgotten: what was done, and how far a centre knows.
            keep_in_step(composed.gateway.centres, composed.gateway.health, clock, stack)
        else:
            health, held = composed.gateway.health, standin.holds(settings.data_dir)
            health.alarm("store-memory", _IN_MEMORY.format(refusal))
            ask = partial(ask_again, settings.data_dir, ending, held)
            jobs.every(_MINUTE, "disk", guarded_job("disk", health, ask))
        notify.notify("READY=1", f"STATUS=flexedge {__version__} runs {loaded.site.site.name}")
        _log.info("flexedge runs", version=__version__, site=loaded.site.site.name)
        again = _wait(ending, composed.gateway, clock)
        if not again:
            notify.notify("STOPPING=1")
        _log.info("flexedge stops")
    return again


def ask_again(folder: Path, ending: Ending, held: bool, _now: datetime) -> None:  # noqa: FBT001 (a job's)
    """Begin anew where the disk takes writes again; ``held``: and what it held is there again.

    While a disk is not mounted there is an empty folder in its place, which takes writes.
    """
    if folder.is_dir() and not standin.refusal(folder) and (standin.holds(folder) or not held):
        ending.again()


def _keeping(
    settings: Settings, gateway: Gateway, clock: Clock, facts: Callable[[], Facts]
) -> Timekeeping | None:
    """Who watches the machine's clock; nobody while time is simulated."""
    if not isinstance(clock, WallClock):
        return None
    always = settings.clock_trust == "always"
    keeping = Timekeeping(clock, facts, gateway.state, gateway.health, always=always)

    def date(stamp: Stamp) -> None:
        if gateway.beliefs.restamp(stamp):
            now = clock.now()
            gateway.aggregator.again(now - LOOK_BACK, now)

    keeping.on_trust = date
    return keeping


def _clock(settings: Settings, wall: Callable[[], WallClock], stack: ExitStack) -> Clock:
    if settings.clock is None:
        return wall()
    shared = SharedClock(settings.clock)
    stack.enter_context(Service("clock", shared.run, shared.let_run))
    return shared


def _start(
    settings: Settings,
    composed: Composed,
    clock: Clock,
    keeping: Timekeeping | None,
    stack: ExitStack,
) -> Jobs:
    """Start every thread; they end in the reverse order: web, jobs, dispatch, lines, store."""
    gateway, assembly = composed.gateway, composed.assembly
    health = gateway.health
    with clock.hold():
        # The disk lives on the wall clock, whatever the site's clock does.
        flush = guarded("store", health, gateway.collector.flush)
        writer = Loop("store", flush, clock if keeping is not None else WallClock())
        gateway.beliefs.on_many = writer.wake
        stack.enter_context(writer)
        stack.callback(assembly.close)
        for line in assembly.lines:
            loop = Loop(f"line {line.name}", guarded(f"line {line.name}", health, line.step), clock)
            composed.relay.loops[line.name] = loop.wake
            stack.enter_context(loop)
        gateway.dispatcher.begin(clock.now())
        gateway.planner.begin(clock.now())
        stack.callback(_release, gateway, clock)
        stack.enter_context(
            Loop("dispatch", guarded("dispatch", health, gateway.dispatcher.step), clock)
        )
        jobs = Jobs(clock)
        _schedule(jobs, gateway, settings)
        stack.enter_context(jobs)
        if keeping is not None:
            stack.enter_context(Loop("time", _timed(keeping, jobs, gateway), clock))
        parts = parts_of(settings, gateway.state, gateway.beliefs, clock, gateway)
        work_on(parts, health, clock, stack)
        open_door(settings, parts, parts.window, clock, stack)
    return jobs


def _timed(
    keeping: Timekeeping, jobs: Jobs, gateway: Gateway
) -> Callable[[datetime], datetime | None]:
    """Watch the clock, and keep jobs going however it is set; plan as soon as time is known."""

    def step(now: datetime) -> datetime:
        before = gateway.health.time_known
        due = keeping.step(now)
        jobs.rearm()
        if gateway.health.time_known and not before:
            jobs.soon("plan")
        return due

    return guarded("time", gateway.health, step)


def _schedule(jobs: Jobs, gateway: Gateway, settings: Settings) -> None:
    plan = settings.plan

    def make_plan(now: datetime) -> None:
        gateway.foreseer.step(now)
        gateway.planner.step(now, plan.horizon, plan.time_limit)

    def watch(now: datetime) -> None:
        gateway.amendments.step(now)
        if gateway.planner.changed(now):
            jobs.soon("prices")  # others read them, too, as a centre that plans
            jobs.soon("plan")

    def know_limits(now: datetime) -> None:
        if gateway.health.time_known:
            gateway.grid.step(now)

    def tell_prices(now: datetime) -> None:
        if gateway.health.time_known:
            gateway.tariffs.step(now)

    jobs.every(plan.every, "plan", guarded_job("plan", gateway.health, make_plan))
    aggregate = guarded_job("aggregate", gateway.health, gateway.aggregator.step)
    jobs.every(_MINUTE, "aggregate", aggregate)
    jobs.every(_HOUR, "prices", guarded_job("prices", gateway.health, tell_prices))
    jobs.every(_WATCH, "limits", guarded_job("limits", gateway.health, know_limits))
    jobs.every(_WATCH, "watch", guarded_job("watch", gateway.health, watch))
    keep_house(jobs, settings, gateway.health, gateway.beliefs, gateway.state)


def _release(gateway: Gateway, clock: Clock) -> None:
    """Give every device back to itself while the lines still run."""
    clock.let_run()
    gateway.dispatcher.end(clock.now())
    if gateway.dispatcher.released.wait(_RELEASE_S):
        _log.info("every control point is released")
    else:
        _log.error("not every control point could be released; the devices' watchdogs will")


def _wait(ending: Ending, gateway: Gateway, clock: Clock) -> bool:
    """Feed the watchdog while dispatch and store make progress; whether to begin anew."""
    every = notify.watchdog_seconds()
    while (again := ending.wait(None if every is None else every / 2)) is None:
        silent = gateway.health.silent(clock.now(), _SILENT)
        if silent:
            _log.error("no progress", parts=silent)
        else:
            notify.notify("WATCHDOG=1")
    return again
