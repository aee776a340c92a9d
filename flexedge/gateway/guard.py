"""The one broad except of every loop and job: note it, log it, go on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from flexedge.errors import StoreClosed
from flexedge.gateway.health import Health

_AGAIN = timedelta(seconds=1)
_log = structlog.get_logger()


def guarded(
    name: str, health: Health, step: Callable[[datetime], datetime | None]
) -> Callable[[datetime], datetime | None]:
    """The step of a loop that outlives what nobody expected: tried again after a second."""

    def safe(now: datetime) -> datetime | None:
        try:
            due = step(now)
        except StoreClosed:
            return None
        except Exception as error:  # noqa: BLE001 (the loop must go on; logged and counted)
            _caught(name, health, error)
            return now + _AGAIN
        health.alarm(f"loop {name}", "")
        return due

    return safe


def guarded_job(
    name: str, health: Health, work: Callable[[datetime], object]
) -> Callable[[datetime], None]:
    """The same for a job that runs now and then."""

    def safe(now: datetime) -> None:
        try:
            work(now)
        except StoreClosed:
            return  # the program ends in the middle of it
        except Exception as error:  # noqa: BLE001 (the next run must come; logged and counted)
            _caught(name, health, error)
        else:
            health.alarm(f"loop {name}", "")

    return safe


def _caught(name: str, health: Health, error: Exception) -> None:
    health.count(errors=1)
    health.alarm(f"loop {name}", f"{name} failed unexpectedly: {type(error).__name__}: {error}")
    _log.error("unexpected failure", part=name, exc_info=error)
