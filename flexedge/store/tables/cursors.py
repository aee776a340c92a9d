"""How far each destination knows each sensor: the archive is the outbox."""

from collections.abc import Mapping

import sqlalchemy as sa

from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Cursors


class Positions:
    """A position per destination and sensor: the last ingest number that arrived there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, destination: str) -> Mapping[int, int]:
        """Positions by sensor number; a sensor without one has not been sent from."""
        query = sa.select(Cursors.sensor_id, Cursors.position).where(
            Cursors.destination == destination
        )
        return dict(self._database.read(lambda connection: connection.execute(query).all()))

    def move(self, destination: str, positions: Mapping[int, int]) -> None:
        """Note that everything up to these positions has arrived: all of them or none."""
        statements = [
            self._database.put(
                Cursors,
                {"destination": destination, "sensor_id": sensor, "position": position},
                replace=("position",),
            )
            for sensor, position in positions.items()
        ]

        def work(connection: sa.Connection) -> None:
            for statement in statements:
                connection.execute(statement)

        self._database.write(work)

    def forget(self, destination: str) -> None:
        """Let a destination be sent everything again."""
        self._database.execute(sa.delete(Cursors).where(Cursors.destination == destination))
