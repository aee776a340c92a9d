"""The tables of an archive on PostgreSQL, in a schema of their own.

Times are microseconds since 1970, as everywhere; the views ``readings_at`` and ``beliefs_at`` show
them as dates for people and their tools. Made with the first connection. Where the extension
TimescaleDB is in the database the large tables are hypertables.
"""

from dataclasses import dataclass

from flexedge.errors import StoreError
from flexedge.store.postgres.packed import sql_type
from flexedge.store.postgres.server import Session

SCHEMA = "timeseries"
VERSION = 2
"""Of these tables; goes up when they change. 2: beliefs have ingest numbers."""
_CHUNK_US = 7 * 86_400 * 1_000_000  # of a hypertable: a week
_LOCK = 7_263_541_907  # whoever makes tables holds this; any number that others do not use
_DATE = "'epoch'::timestamptz + {} * interval '1 microsecond'"


_NUMBERED = " create index beliefs_number on beliefs (sensor, number);"
_EPOCH = "insert into facts values ('epoch', 1 + floor(random() * 9e15)::bigint)"
_UPGRADES = {
    2: f"""
create sequence numbers;
alter table beliefs add column number bigint not null default nextval('numbers');
alter table beliefs alter column number drop default;
drop sequence numbers;
{_NUMBERED}
insert into facts select 'number', coalesce(max(number), 0) from beliefs;
{_EPOCH};
""",
}
"""What makes tables of a version out of those of the one before. Rows that are there are numbered

in the order in which they lie, about that in which they came.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of rows: its columns, and of what there may be one row."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    numbered: bool = False
    """Whether rows have an ingest number beside their columns."""

    @property
    def values(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(name for name in self.columns if name not in self.key)

    @property
    def time(self) -> str:
        """The column that says when."""
        return "start_us" if "start_us" in self.columns else "event_us"

    def created(self) -> str:
        """How it is made. The key's index has all columns: what is read is read from there."""
        names = (*self.columns, *(["number"] if self.numbered else []))
        columns = ", ".join(f"{name} {sql_type(name)} not null" for name in names)
        include = ", ".join(self.values) if len(self.values) <= 2 else ""  # noqa: PLR2004
        more = f" include ({include})" if include else ""
        return (
            f"create table {self.name} ({columns}, primary key ({', '.join(self.key)}){more});"
            f" create index {self.name}_{self.time} on {self.name} using brin ({self.time});"
            f"{_NUMBERED if self.numbered else ''}"
        )


READINGS = Table("readings", ("sensor", "event_us", "value", "quality"), ("sensor", "event_us"))
BELIEFS = Table(
    "beliefs",
    ("sensor", "source", "event_us", "belief_us", "probability", "value"),
    ("sensor", "event_us", "source", "belief_us", "probability"),
    numbered=True,
)
_SUMS = ("sensor", "start_us", "count", "mean", "least", "most", "first", "first_us", "last",
         "last_us", "rise", "integral")  # fmt: skip
MINUTES = Table("minutes", _SUMS, ("sensor", "start_us"))
HOURS = Table("hours", _SUMS, ("sensor", "start_us"))
LARGE = (READINGS, BELIEFS, MINUTES, HOURS)
INCOMING = {READINGS: "incoming_readings", BELIEFS: "incoming_beliefs"}
"""Where a transaction puts new rows first; each connection has its own."""

_CREATE = f"""
{" ".join(table.created() for table in LARGE)}
create table touched (
    width_us bigint, start_us bigint, sensor integer, primary key (width_us, start_us, sensor));
create table undated_readings (
    number bigserial primary key, boot text not null, offset_us bigint not null,
    sensor integer not null, event_us bigint not null, value double precision not null,
    quality smallint not null);
create table undated_beliefs (
    boot text not null, offset_us bigint not null, sensor integer not null, source integer not null,
    event_us bigint not null, belief_us bigint not null, probability double precision not null,
    value double precision not null);
create table known (kind text, number integer, words text not null, primary key (kind, number));
create table facts (name text primary key, value bigint not null);
create view readings_at as
    select sensor, {_DATE.format("event_us")} as event_start, value, quality, event_us
    from readings;
create view beliefs_at as
    select sensor, source, {_DATE.format("event_us")} as event_start,
        {_DATE.format("belief_us")} as belief_time, probability, value, event_us from beliefs;
insert into facts values ('version', {VERSION}), ('number', 0);
{_EPOCH};
"""
_DUE = "create temporary table due (sensor integer, start_us bigint) on commit delete rows"
_HYPERTABLE = """
select create_hypertable(
    %s::text::regclass, %s::text::name, chunk_time_interval => %s::bigint)"""


def prepare(session: Session) -> None:
    """Make of a new connection one that an archive can use; the tables, if they are not there.

    Raises ``StoreError`` where they are of a newer version than this program knows.
    """
    if not session.run("select to_regclass(%s) is not null", [f"{SCHEMA}.facts"])[0][0]:
        _create(session)
    ((found,),) = session.run("select value from facts where name = 'version'")
    if found < VERSION:
        _upgrade(session)
    if found > VERSION:
        raise StoreError(f"the tables are of a newer version ({found}, this one knows {VERSION}); install that version")  # fmt: skip  # noqa: E501
    for table, incoming in INCOMING.items():
        columns = ", ".join(f"{name} {sql_type(name)}" for name in table.columns)
        session.run(
            f"create temporary table {incoming} ({columns}, ord bigint) on commit delete rows"
        )
    session.run(_DUE)


def _create(session: Session) -> None:
    session.patient()
    session.run("select pg_advisory_xact_lock(%s)", [_LOCK])
    session.run(f"create schema if not exists {SCHEMA}")
    if session.run("select to_regclass(%s) is not null", [f"{SCHEMA}.facts"])[0][0]:
        return  # somebody else was faster
    _run(session, _CREATE)
    if timescale(session):
        for table in LARGE:
            session.run(_HYPERTABLE, [table.name, table.time, _CHUNK_US])


def _run(session: Session, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        session.run(statement)


def _upgrade(session: Session) -> None:
    """Bring the tables up, all in one transaction; rows can be neither read nor added meanwhile."""
    session.patient()
    session.run("select pg_advisory_xact_lock(%s)", [_LOCK])
    ((found,),) = session.run("select value from facts where name = 'version' for update")
    for version in range(found + 1, VERSION + 1):
        _run(session, _UPGRADES[version])
        session.run("update facts set value = %s where name = 'version'", [version])


def timescale(session: Session) -> bool:
    """Whether tables can be, and so are, hypertables."""
    return bool(session.run("select to_regproc('create_hypertable') is not null")[0][0])
