from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.users import Token, User

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA = User("anna", 1, NOW, "anna@example.org", "hash", ["account-admin"])


def test_users_come_change_and_go(state: State) -> None:
    number = state.users.add(ANNA)
    assert state.users.all() == {number: ANNA}
    changed = replace(ANNA, active=False, seen=NOW + HOUR)
    state.users.change(number, changed)
    assert state.users.all() == {number: changed}
    with pytest.raises(StoreError, match="no user 9"):
        state.users.change(9, changed)
    state.users.remove(number)
    assert state.users.all() == {}


def test_a_name_and_an_address_are_taken_once(state: State) -> None:
    state.users.add(ANNA)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.users.add(replace(ANNA, email=None))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.users.add(replace(ANNA, name="other"))
    state.users.add(User("ben", 1, NOW))
    state.users.add(User("cleo", 1, NOW))  # several may have no address


def test_a_token_counts_until_it_ends(state: State) -> None:
    user = state.users.add(ANNA)
    short = Token(user, "access", "script", ["read"], NOW, NOW + HOUR)
    endless = Token(user, "key", "panel", ["read", "data"], NOW)
    first, second = state.users.issue("hash-1", short), state.users.issue("hash-2", endless)
    assert state.users.token("hash-1", NOW + HOUR / 2) == short
    assert state.users.token("hash-1", NOW + HOUR) is None
    assert state.users.token("hash-2", NOW + 10_000 * HOUR) == endless
    assert state.users.token("hash-3", NOW) is None
    assert state.users.tokens() == {first: short, second: endless}
    state.users.revoke(second)
    assert state.users.token("hash-2", NOW) is None
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.users.issue("hash-1", short)


def test_tokens_fall_with_their_user(state: State) -> None:
    user = state.users.add(ANNA)
    state.users.issue("hash", Token(user, "key", "script", ["read"], NOW))
    state.users.change(user, replace(ANNA, active=False))
    assert state.users.token("hash", NOW) is None
    assert len(state.users.tokens()) == 1
    state.users.remove(user)
    assert state.users.tokens() == {}
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        state.users.issue("other", Token(user, "key", "script", ["read"], NOW))
