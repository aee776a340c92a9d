import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.state import State
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database
from flexedge.store.tables.migrate import migrate, scripts
from flexedge.store.tables.revisions import FIRST, NEWEST


def tables(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        return dict(connection.execute(query).fetchall())


def test_the_revisions_are_one_line_that_ends_with_the_newest() -> None:
    line = [script.revision for script in scripts().walk_revisions()]
    assert line == sorted(line, reverse=True)
    assert (line[0], line[-1]) == (NEWEST, FIRST)


def _default_differs(
    _context: object, _there: object, column: sa.Column[object], *_: object
) -> bool | None:
    """None: Alembic compares itself; PostgreSQL cannot compare JSON."""
    return False if isinstance(column.type, sa.JSON) else None


def test_all_revisions_together_make_what_the_models_say(where: Path | str) -> None:
    assert migrate(where) == (None, NEWEST)
    database = Database(where)

    def difference(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": _default_differs}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Model.metadata))

    assert database.read(difference) == []
    database.write(lambda c: c.exec_driver_sql("DROP INDEX ix_audit_at"))
    assert database.read(difference) != []
    database.close()


def test_a_database_goes_back_and_forth(where: Path | str) -> None:
    state = State(where)
    state.remember("a", "1")
    state.close()
    assert migrate(where, FIRST) == (NEWEST, FIRST)
    again = State(where)
    assert again.fact("a") == "1"
    again.close()
    assert migrate(where) == (NEWEST, NEWEST)


def test_a_new_database_is_no_different_from_a_migrated_one(tmp_path: Path) -> None:
    migrate(tmp_path / "migrated.db")
    State(tmp_path / "new.db").close()
    new, migrated = tables(tmp_path / "new.db"), tables(tmp_path / "migrated.db")
    assert new.keys() == migrated.keys()
    for path in (tmp_path / "new.db", tmp_path / "migrated.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM meta").fetchone() == (3,)
            assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(NEWEST,)]


def test_a_revision_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    migrate(path, FIRST)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE audit (in_the_way)")
    before = tables(path)
    with pytest.raises(StoreError, match="audit already exists"):
        migrate(path)
    assert tables(path) == before


def test_nothing_is_done_twice(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    migrate(path)
    before = tables(path)
    assert migrate(path) == (NEWEST, NEWEST)
    assert tables(path) == before


def test_a_revision_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no revision 0000; there are 0001, "):
        migrate(tmp_path / "state.db", "0000")


def test_a_database_of_an_unknown_revision_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(StoreDamaged, match="revision 0000, which there never was"):
        migrate(path)
