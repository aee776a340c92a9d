from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from flexedge.errors import StoreError
from flexedge.store.tables.columns import Model
from flexedge.store.tables.database import Database
from flexedge.store.tables.models import Facts, Sensors


def test_what_json_has_no_word_for_is_refused_everywhere(database: Database) -> None:
    row = {"key": "a", "name": "a", "unit": "kW", "resolution": timedelta(0), "timezone": "UTC"}
    with pytest.raises(StoreError, match="JSON"):
        database.execute(sa.insert(Sensors).values(row | {"attributes": {"x": float("nan")}}))


def test_every_table_can_be_made_on_postgresql() -> None:
    made = [
        str(CreateTable(table).compile(dialect=sa.make_url("postgresql://").get_dialect()()))
        for table in Model.metadata.sorted_tables
    ]
    assert len(made) == 23
    assert any("created BIGINT NOT NULL" in text for text in made)


def test_a_missing_value_is_not_an_empty_one(database: Database) -> None:
    with pytest.raises(StoreError, match=r"(?i)not.null"):
        database.execute(sa.insert(Facts).values(name="a", value=None))
