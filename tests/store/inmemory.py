"""Beliefs in one table in memory: the least that answers what is asked."""

from collections.abc import Mapping
from typing import Protocol

import duckdb

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.asked import select
from flexedge.store.rows import Beliefs


class Answers(Protocol):
    """What of an archive is held against timely-beliefs."""

    def keep(self, beliefs: Beliefs) -> None: ...

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs: ...


class InMemory:
    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(
            "create table beliefs (sensor integer, source integer, event_us bigint,"
            " belief_us bigint, probability double, value double)"
        )

    def keep(self, beliefs: Beliefs) -> None:
        self.connection.register("batch", beliefs.columns())
        self.connection.execute("insert into beliefs select * from batch")
        self.connection.unregister("batch")

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs:
        return Beliefs.of(self.connection.execute(*select(asked, "beliefs", knowable)).fetchnumpy())
