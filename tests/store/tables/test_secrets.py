import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.secrets import Secret

SECRET = Secret("asset", 3, "meter.password", "not to be read", "k1")


def test_a_path_of_a_thing_holds_one_secret(state: State) -> None:
    number = state.secrets.add(SECRET)
    assert state.secrets.find(thing="asset", thing_id=3) == {number: SECRET}
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.secrets.add(SECRET)
