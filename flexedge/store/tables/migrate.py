"""Bring the tables from one revision to another: the only module that knows Alembic."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from flexedge.errors import StoreDamaged, StoreError
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database
from flexedge.store.tables.revisions import FIRST, NEWEST, demand_usable, look, note
from flexedge.store.tables.seals import seal_anew

FOLDER = Path(__file__).parents[1] / "migrations"


def scripts() -> ScriptDirectory:
    """The revisions as Alembic sees them."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])


def migrate(where: Path | str, to: str = NEWEST) -> tuple[str | None, str]:
    """Bring a database to a revision, forth or back: all of it or nothing.

    Returns the revisions before (None: no tables) and after. Going back drops what the older
    revision has no place for. Raises ``StoreError``. Take a snapshot first.
    """
    database = Database(where)
    try:
        return _migrate(database, to)
    finally:
        database.close()


def _migrate(database: Database, to: str) -> tuple[str | None, str]:
    found = look(database)
    demand_usable(database.name, found)
    directory = scripts()
    known = {script.revision for script in directory.walk_revisions()}
    if to not in known:
        raise StoreError(f"there is no revision {to}; there are {', '.join(sorted(known))}")
    if found.revision is not None and found.revision not in known:
        raise StoreDamaged(f"{database.name} has revision {found.revision}, which there never was")
    back = found.revision is not None and found.revision > to

    def steps(revision: Any, _context: object) -> Any:
        way = directory._downgrade_revs if back else directory._upgrade_revs  # noqa: SLF001 (as Alembic's documents show)
        return way(to, revision)

    def work(connection: sa.Connection) -> None:
        with EnvironmentContext(Config(), directory, fn=steps) as context:
            context.configure(connection=connection, target_metadata=Model.metadata)
            if not found.stamped:
                context.get_context().stamp(directory, FIRST)
            context.run_migrations()
        if to == NEWEST:
            note(connection)
        seal_anew(connection, Model.metadata.tables)

    try:
        database.write(work)
    except CommandError as error:
        raise StoreError(f"{database.name}: {error}") from error
    return found.revision, to
