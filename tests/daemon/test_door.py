import json
import stat
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from flexedge.config.settings import Settings, Web
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import open_store, parts_of
from flexedge.daemon.door import open_door, work_on
from flexedge.errors import WebUnavailable
from flexedge.gateway.health import Health
from flexedge.store.tables.jobs import Job

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_the_door_tells_programs_on_the_machine_where_it_is(tmp_path: Path) -> None:
    settings, clock = Settings(data_dir=tmp_path, web=Web(port=0)), WallClock()
    runtime = tmp_path / "runtime.json"
    with ExitStack() as stack:
        beliefs, state = open_store(settings, Health(), clock.now(), stack)
        open_door(settings, parts_of(settings, state, beliefs, clock), None, clock, stack)
        told = json.loads(runtime.read_text())
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o600
        assert requests.get(told["url"] + "/health", timeout=10).json() == {"status": "ok"}
        port = int(told["url"].rpartition(":")[2])
        taken = settings.model_copy(update={"web": Web(port=port)})
        with ExitStack() as other, pytest.raises(WebUnavailable, match=str(port)):
            open_door(taken, parts_of(settings, state, beliefs, clock), None, clock, other)
    assert not runtime.exists()


def test_what_was_left_over_is_done_first(tmp_path: Path) -> None:
    settings, clock, health = Settings(data_dir=tmp_path), WallClock(), Health()
    with ExitStack() as stack:
        beliefs, state = open_store(settings, health, clock.now(), stack)
        state.jobs.add(Job("left-over", "scheduling", "queued", {}, None, NOW))
        state.jobs.start("scheduling", NOW)
        parts = parts_of(settings, state, beliefs, clock)
        work_on(parts, health, clock, stack)
        for _ in range(10_000):  # until it was taken up, and then until it ended
            job = parts.work.soon("left-over", 20)
            if job is not None and job.status != "queued":
                break
    assert job is not None
    assert job.status == "failed"  # it asked for nothing
