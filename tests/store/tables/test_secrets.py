from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.secrets import Secret

TOKEN = Secret("account", 1, "prices.token", "sealed", "k1", datetime(2027, 1, 1, tzinfo=UTC))


def test_a_secret_has_a_path_of_its_own_on_a_thing(state: State) -> None:
    number = state.secrets.add(TOKEN)
    others = [replace(TOKEN, thing="asset"), replace(TOKEN, thing_id=2), replace(TOKEN, path="x")]
    for other in others:
        state.secrets.add(other)
    assert state.secrets.find(thing="account", thing_id=1, path="prices.token") == {number: TOKEN}
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.secrets.add(replace(TOKEN, sealed_value="other"))
