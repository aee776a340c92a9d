from flexedge.store.tables import models
from flexedge.store.tables.columns import Model
from flexedge.store.tables.fleet import TABLES


def test_who_knows_the_other_tables_knows_these() -> None:
    names = [one.__tablename__ for one in models.FLEET]
    assert names == ["centres", "links", "set_aside"]
    assert set(names) <= Model.metadata.tables.keys()


def test_all_of_them_go_with_their_centre() -> None:
    keys = {(one.__tablename__, key.target_fullname): key.ondelete
            for one in TABLES for key in one.__table__.foreign_keys}  # fmt: skip
    assert keys == {
        ("links", "centres.id"): "CASCADE",
        ("set_aside", "centres.id"): "CASCADE",
        ("set_aside", "links.id"): "CASCADE",
    }
