import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flexedge import __version__
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables import revisions
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database
from flexedge.store.tables.migrate import migrate
from flexedge.store.tables.revisions import NEWEST, OLDEST_READER, Found, look
from flexedge.store.tables.seals import seal_anew

_OPEN = """
import sys
from pathlib import Path
from flexedge.store.state import State
State(Path(sys.argv[1])).close()
print("alembic" in sys.modules)
"""


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def newer(path: Path, readable_from: str | None) -> None:
    """What a newer flexedge would have left."""
    State(path).close()
    change(path, "UPDATE alembic_version SET version_num = '0007'")
    change(path, "UPDATE meta SET value = '9.1' WHERE name = 'written-by'")
    change(path, "ALTER TABLE facts ADD COLUMN more TEXT")
    change(path, "DELETE FROM meta WHERE name = 'readable-from'")
    if readable_from:
        change(path, f"INSERT INTO meta VALUES ('readable-from', '{readable_from}', 0)")
    database = Database(path)
    database.write(lambda connection: seal_anew(connection, Model.metadata.tables))
    database.close()


@pytest.mark.parametrize("made_by", ["new", "migrated"])
def test_a_database_says_what_it_is(tmp_path: Path, made_by: str) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    assert look(database) == Found(None)
    State(path).close() if made_by == "new" else migrate(path)
    assert look(database) == Found(NEWEST, True, OLDEST_READER, __version__)
    database.close()


def test_one_that_a_newer_version_says_we_can_read_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    newer(path, readable_from=NEWEST)
    state = State(path)
    state.remember("a", "1")
    assert state.fact("a") == "1"
    state.close()
    database = Database(path)
    assert look(database).revision == "0007"
    database.close()


@pytest.mark.parametrize("readable_from", ["0007", None])
def test_one_that_is_too_new_is_refused_with_versions_and_remedy(
    tmp_path: Path, readable_from: str | None
) -> None:
    path = tmp_path / "state.db"
    newer(path, readable_from)
    before = path.read_bytes()
    for use in (State, migrate):
        with pytest.raises(StoreError) as caught:
            use(path)
        told = str(caught.value)
        assert f"flexedge 9.1 (revision 0007); this is flexedge {__version__}" in told
        assert f"'flexedge db migrate --to {NEWEST}'" in told
    assert path.read_bytes() == before


def test_alembic_is_loaded_only_where_there_is_something_to_migrate(tmp_path: Path) -> None:
    def loaded(path: Path) -> str:
        command = [sys.executable, "-c", _OPEN, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert loaded(tmp_path / "new.db") == "False"
    assert loaded(tmp_path / "new.db") == "False"
    migrate(tmp_path / "old.db", revisions.FIRST)
    assert loaded(tmp_path / "old.db") == "True"
    assert loaded(tmp_path / "old.db") == "False"
