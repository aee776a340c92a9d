"""How far each destination knows each sensor: the archive is the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from flexedge.store.spans import Spans, joined
from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Cursors, Facts

MOST_GAPS = 16
"""Of a cursor; of more the oldest become one, and what is between them is sent again."""
_EPOCH = "cursors.epoch"


def destination(centre: int, role: str) -> str:
    """What is sent where: the number of a centre, and of which role a sensor is there."""
    return f"{centre}/{role}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """What has arrived of a sensor: all with an ingest number up to the position, but for gaps."""

    position: int = 0
    gaps: Spans = ()
    """What is still to be sent, in order; each up to the position at most."""


class Positions:
    """A cursor per destination and sensor."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, destination: str) -> Mapping[int, Cursor]:
        """Cursors by sensor number; a sensor without one has not been sent from."""
        query = sa.select(Cursors.sensor_id, Cursors.position, Cursors.gaps).where(
            Cursors.destination == destination
        )
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return {
            sensor: Cursor(position, tuple((int(lo), int(hi)) for lo, hi in gaps))
            for sensor, position, gaps in rows
        }

    def move(self, moved: Mapping[tuple[str, int], Cursor]) -> None:
        """Note what has arrived, by destination and sensor: all of them or none.

        Raises ``StoreError``, also where a sensor is not there any more.
        """
        statements = [
            self._database.put(
                Cursors,
                {"destination": destination, "sensor_id": sensor, "position": cursor.position,
                 "gaps": [list(span) for span in joined(cursor.gaps, MOST_GAPS)]},
                replace=("position", "gaps"),
            )
            for (destination, sensor), cursor in moved.items()
        ]  # fmt: skip

        def work(connection: sa.Connection) -> None:
            for statement in statements:
                connection.execute(statement)

        self._database.write(work)

    def forget(self, destination: str, sensor: int | None = None) -> None:
        """Let a destination be sent everything again, of one sensor or (None) of all."""
        which = sa.delete(Cursors).where(Cursors.destination == destination)
        if sensor is not None:
            which = which.where(Cursors.sensor_id == sensor)
        self._database.execute(which)

    def forget_centre(self, centre: int) -> None:
        """The same for all that goes to a centre."""
        start = destination(centre, "")
        self._database.execute(
            sa.delete(Cursors).where(Cursors.destination.startswith(start, autoescape=True))
        )

    def keep_to(self, epoch: int, top: int) -> bool:
        """Forget every cursor of another epoch of the archive; whether it was another one.

        Cursors that were kept before there were epochs are of another. Those beyond ``top``, the
        newest number there is, are forgotten too: the archive was put back to an older one, and
        will give these numbers to other rows.
        """
        query = sa.select(Facts.value).where(Facts.name == _EPOCH)
        beyond = sa.select(sa.func.count()).where(Cursors.position > top)
        if self._database.read(
            lambda connection: (
                connection.scalar(query) == str(epoch) and not connection.scalar(beyond)
            )
        ):
            return False  # as at nearly every start: nothing is written
        put = self._database.put(Facts, {"name": _EPOCH, "value": str(epoch)}, replace=("value",))

        def work(connection: sa.Connection) -> bool:
            if connection.scalar(query) == str(epoch):
                connection.execute(sa.delete(Cursors).where(Cursors.position > top))
                return False
            connection.execute(sa.delete(Cursors))
            connection.execute(put)
            return True

        return self._database.write(work)
