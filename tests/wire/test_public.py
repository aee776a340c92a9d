import pytest
from pydantic import ValidationError

from flexedge.wire.public import Ready


def test_a_server_is_ready_or_not() -> None:
    assert Ready(database_sql=True, status=200).model_dump() == {
        "database_sql": True,
        "status": 200,
    }
    with pytest.raises(ValidationError):
        Ready.model_validate({"database_sql": True, "status": 404})
