"""API, store and planner without a site: on a laptop or a server."""

from contextlib import ExitStack

import structlog

from flexedge import __version__
from flexedge.config.settings import Settings
from flexedge.daemon import log, notify
from flexedge.daemon.centres import Ground, centres_of, keep_in_step
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import open_store, parts_of
from flexedge.daemon.door import open_door, work_on
from flexedge.daemon.ending import Ending
from flexedge.daemon.house import keep_house
from flexedge.daemon.jobs import Jobs
from flexedge.gateway.health import Health

_log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    log.set_up(settings.log.level, settings.log.format)
    with ExitStack() as stack:
        ending = stack.enter_context(Ending())
        ending.on_signals()
        clock, health = WallClock(), Health()
        beliefs, state = open_store(settings, health, clock.now(), stack)
        beliefs.flush(clock.stamp())
        ground = Ground(state, beliefs, health, clock.now, settings.data_dir)
        centres = centres_of(settings, ground, {})
        parts = parts_of(settings, state, beliefs, clock, centres=centres)
        work_on(parts, health, clock, stack)
        jobs = Jobs(clock)
        keep_house(jobs, settings, health, beliefs, state)
        stack.enter_context(jobs)
        open_door(settings, parts, None, clock, stack)
        keep_in_step(centres, health, clock, stack)
        for told in health.alarms.values():
            _log.warning("alarm", message=told)
        notify.notify("READY=1", f"STATUS=flexedge {__version__} serves")
        _log.info("flexedge serves", version=__version__, data=str(settings.data_dir))
        ending.wait()
        notify.notify("STOPPING=1")
        _log.info("flexedge stops")
    return 0
