import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from flexedge.errors import StoreError, StoreSlow
from flexedge.store.postgres.server import Server, Session
from tests.store.pg_server import PgServer

pytestmark = pytest.mark.postgres


def nothing(_session: Session) -> None:
    """A new connection needs nothing."""


@pytest.fixture
def server(database: str) -> Iterator[Server]:
    server = Server(database, nothing, 5.0, "public")
    yield server
    server.close()


def one(server: Server, sql: str) -> object:
    with server.transaction() as session:
        return session.run(sql)[0][0]


def test_a_transaction_is_all_or_nothing(server: Server) -> None:
    with server.transaction() as session:
        session.run("create table t (n integer primary key)")

    def put(n: int, more: Callable[[], object]) -> None:
        with server.transaction() as session:
            session.run("insert into t values (%s)", [n])
            more()
            session.run("insert into t values (%s)", [n])

    with pytest.raises(StoreError, match="duplicate key"):
        put(1, dict)
    with pytest.raises(ZeroDivisionError):
        put(2, lambda: 1 // 0)
    assert one(server, "select count(*) from t") == 0


def test_what_is_committed_waits_for_the_disk_whatever_the_server_thinks(
    server: Server, pg_server: PgServer, database: str
) -> None:
    name = database.rpartition("/")[2]
    pg_server.run(f"alter database {name} set synchronous_commit = off")
    assert one(server, "show synchronous_commit") == "on"


def test_arrays_come_whole_and_typed(server: Server) -> None:
    text = "select generate_series(1, %s::integer) as sensor, 1.5::float8 as value"
    with server.transaction() as session:
        found = session.arrays(text, ("sensor", "value"), [100_000])
    assert found["sensor"].dtype == np.int32
    assert found["sensor"].tolist() == list(range(1, 100_001))
    assert set(found["value"].tolist()) == {1.5}


def test_a_query_that_takes_too_long_is_given_up(database: str) -> None:
    server = Server(database, nothing, 0.05, "public")
    with pytest.raises(StoreSlow), server.transaction() as session:
        session.run("select pg_sleep(60)")
    with server.transaction() as session:
        session.patient()
        assert session.run("select count(*) from pg_sleep(0.2)")[0][0] == 1
    server.close()


def test_connections_are_kept_and_shared_by_no_two_threads(server: Server) -> None:
    pid = one(server, "select pg_backend_pid()")
    assert one(server, "select pg_backend_pid()") == pid
    others: list[object] = []
    with server.transaction() as session:
        asked = threading.Thread(  # noqa: TID251 (a second user at the same time)
            target=lambda: others.append(one(server, "select pg_backend_pid()"))
        )
        asked.start()
        asked.join()
        assert session.run("select pg_backend_pid()")[0][0] == pid
    assert len(others) == 1
    assert others[0] != pid


def test_a_server_that_was_away_is_found_again(server: Server, pg_server: PgServer) -> None:
    with server.transaction() as session:
        session.run("create table t (n integer)")

    def put() -> None:
        with server.transaction() as session:
            session.run("insert into t values (1)")
            pg_server.stop()

    with pytest.raises(StoreError):
        put()
    with pytest.raises(StoreError) as told:
        one(server, "select 1")
    assert pg_server.password not in str(told.value)
    pg_server.start()
    assert one(server, "select count(*) from t") == 0


def test_a_connection_that_was_cut_in_between_is_replaced(
    server: Server, pg_server: PgServer
) -> None:
    pid = one(server, "select pg_backend_pid()")
    pg_server.run(f"select pg_terminate_backend({pid}, 5000)")
    assert one(server, "select pg_backend_pid()") != pid


def test_no_password_is_ever_told(pg_server: PgServer) -> None:
    wrong = pg_server.url().replace(pg_server.password, "geheim%2F1")
    server = Server(wrong, nothing, 5.0, "public")
    with pytest.raises(StoreError, match="password authentication failed") as told:
        one(server, "select 1")
    assert "geheim" not in f"{told.value}{server.name}{told.value.__cause__}"
    assert server.name == "postgresql://flexedge@127.0.0.1/postgres"
    with pytest.raises(StoreError, match="postgresql://user@host") as told:
        Server("postgresql://u:geheim@h:70000x/ d?=geheim", nothing, 5.0, "public")
    assert "geheim" not in f"{told.value}{told.value.__cause__}"


def test_the_password_may_be_in_a_file(
    pg_server: PgServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Server(pg_server.url(password=False), nothing, 5.0, "public")
    with pytest.raises(StoreError, match="no password"):
        one(bare, "select 1")
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:flexedge:{pg_server.password}\n", encoding="ascii")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert one(bare, "select 1") == 1
    bare.close()


def test_nothing_begins_once_it_is_closed(server: Server, pg_server: PgServer) -> None:
    pid = one(server, "select pg_backend_pid()")
    server.close()
    with pytest.raises(StoreError, match="closed"):
        one(server, "select 1")
    with psycopg.connect(pg_server.url(), autocommit=True) as other:
        while other.execute("select from pg_stat_activity where pid = %s", [pid]).fetchone():
            pass
