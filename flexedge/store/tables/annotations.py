"""What somebody said about a time span of an account, asset or sensor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from flexedge.store.tables.database import Database, as_row, as_value
from flexedge.store.tables.models import Annotated, Annotations

Thing = Literal["account", "asset", "sensor"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark; ``kind`` is FlexMeasures' type, such as "holiday" or "alert"."""

    content: str
    start: datetime
    end: datetime
    kind: str
    source_id: int
    belief_time: datetime | None = None


class Remarks:
    """Adds annotations and finds them. Raises ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, annotation: Annotation, thing: Thing, number: int) -> tuple[int, bool] | None:
        """Say something about a thing; its number, and whether it is new there.

        What was said already is not said again, whatever its belief time. None: the same source
        said the same of the same start at the same moment, but with another end.
        """
        said = ("content", "start", "source_id", "kind")

        def work(connection: sa.Connection) -> tuple[int, bool] | None:
            ids = sa.select(Annotations.id).order_by(Annotations.id).limit(1)
            known = connection.scalar(ids.where(*_equal(annotation, *said, "end")))
            if known is None and annotation.belief_time is not None:
                clash = ids.where(*_equal(annotation, *said, "belief_time"))
                if connection.scalar(clash) is not None:
                    return None
            if known is None:
                insert = sa.insert(Annotations).values(as_row(annotation))
                known = connection.execute(insert.returning(Annotations.id)).scalar_one()
            row = {"annotation_id": known, "thing": thing, "thing_id": number}
            there = sa.select(Annotated.thing_id).filter_by(**row)
            new = connection.scalar(there) is None
            if new:
                connection.execute(sa.insert(Annotated).values(row))
            return known, new

        return self._database.write(work)

    def about(
        self,
        thing: Thing,
        number: int,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Mapping[int, Annotation]:
        """What was said about a thing that touches [start, end), by the remarks' numbers."""
        query = (
            sa.select(Annotations.__table__)
            .join(Annotated, Annotated.annotation_id == Annotations.id)
            .where(Annotated.thing == thing, Annotated.thing_id == number)
            .order_by(Annotations.start, Annotations.id)
        )
        if start is not None:
            query = query.where(Annotations.end > start)
        if end is not None:
            query = query.where(Annotations.start < end)
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: as_value(Annotation, row) for row in rows}


def _equal(annotation: Annotation, *names: str) -> list[sa.ColumnElement[bool]]:
    columns = Annotations.__table__.c
    return [columns[name] == getattr(annotation, name) for name in names]
