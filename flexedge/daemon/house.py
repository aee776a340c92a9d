"""What is to be done now and then, so that what is kept stays in order."""

from datetime import datetime, timedelta

from flexedge.config.settings import Settings
from flexedge.daemon.jobs import Jobs
from flexedge.gateway.guard import guarded_job
from flexedge.gateway.health import Health
from flexedge.store.beliefs import Beliefs
from flexedge.store.snapshots import Snapshots
from flexedge.store.state import State

_HOUSE = timedelta(minutes=1)  # the store compacts hourly, and sooner when there is much or trouble
_HOUR = timedelta(hours=1)


def keep_house(
    jobs: Jobs, settings: Settings, health: Health, beliefs: Beliefs, state: State
) -> None:
    """Schedule compaction and snapshots of the state."""
    snapshots = Snapshots(settings.data_dir)

    def house(now: datetime) -> None:
        if health.time_known:  # or all might look too old to be kept
            beliefs.maintain(now)

    def snapshot(now: datetime) -> None:
        if health.time_known:
            snapshots.if_changed(state.changes, now)

    jobs.every(_HOUSE, "keep-house", guarded_job("keep-house", health, house))
    if settings.database is None:
        jobs.every(_HOUR, "snapshot", guarded_job("snapshot", health, snapshot))
