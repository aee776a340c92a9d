from pathlib import Path

from flexedge.store.tables.migrate import migrate
from tests.store.migrations.conftest import Ask


def test_it_makes_what_there_was(path: Path, ask: Ask) -> None:
    assert migrate(path, "0001") == (None, "0001")
    tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
    assert [name for name, _sql in ask(tables)] == ["alembic_version", "facts", "held", "sessions"]
    kinds = ask("SELECT name, type, pk FROM pragma_table_info('held')")
    assert kinds == [("control", "TEXT", 1), ("since", "FLOAT", 0)]
    assert ask("SELECT version_num FROM alembic_version") == [("0001",)]
