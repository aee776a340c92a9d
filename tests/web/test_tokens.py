from dataclasses import replace
from datetime import timedelta

import pytest

from flexedge.errors import RequestError
from flexedge.store.state import State
from flexedge.store.tables.users import Token
from flexedge.web.api.parts import Parts
from flexedge.web.tokens import ACCESS_LIFE, MOST_KEYS, REFRESH_LIFE, RESET_LIFE, Tokens
from tests.web.conftest import NOW, Clock
from tests.web.people import anna


@pytest.fixture
def state(parts: Parts) -> State:
    return parts.state


@pytest.fixture
def tokens(state: State, clock: Clock) -> Tokens:
    return Tokens(state, clock)


def refused(tokens: Tokens, shown: str) -> bool:
    with pytest.raises(RequestError) as caught:
        tokens.refresh(shown)
    return caught.value.status == 401


def test_a_refresh_token_comes_only_where_it_is_asked_for(tokens: Tokens, state: State) -> None:
    user = anna(state, NOW)
    assert tokens.log_in(user).refresh is None
    pair = tokens.log_in(user, ("access", "refresh"))
    assert pair.access.startswith("fxa_")
    assert (pair.refresh or "").startswith("fxr_")
    lives = {t.kind: (t.expires or NOW) - NOW for t in state.users.tokens().values()}
    assert lives == {"access": ACCESS_LIFE, "refresh": REFRESH_LIFE}


def test_only_hashes_are_kept(tokens: Tokens, state: State, parts: Parts) -> None:
    shown = tokens.log_in(anna(state, NOW)).access
    assert len(shown) >= len("fxa_") + 43  # 256 bits in base 64
    assert all(shown not in str(token) for token in parts.state.users.tokens().values())
    assert state.users.shown(shown) is None


def test_a_refresh_token_that_is_used_twice_ends_its_family(tokens: Tokens, state: State) -> None:
    user = anna(state, NOW)
    other = tokens.log_in(user, ("access", "refresh"))
    first = tokens.log_in(user, ("access", "refresh"))
    second = tokens.refresh(first.refresh or "")
    assert second.refresh != first.refresh
    assert refused(tokens, first.refresh or "")
    assert refused(tokens, second.refresh or "")
    assert tokens.refresh(other.refresh or "").user_id == user


def test_refresh_tokens_expire_and_nothing_else_refreshes(
    tokens: Tokens, state: State, clock: Clock
) -> None:
    pair = tokens.log_in(anna(state, NOW), ("access", "refresh"))
    assert refused(tokens, pair.access)
    assert refused(tokens, "made up")
    clock.now += REFRESH_LIFE
    assert refused(tokens, pair.refresh or "")


def test_who_is_not_active_any_more_cannot_refresh(tokens: Tokens, state: State) -> None:
    user = anna(state, NOW)
    pair = tokens.log_in(user, ("access", "refresh"))
    state.users.change(user, replace(state.users.all()[user], active=False))
    assert refused(tokens, pair.refresh or "")


def test_expired_tokens_are_forgotten(tokens: Tokens, state: State, clock: Clock) -> None:
    user = anna(state, NOW)
    tokens.log_in(user)
    clock.now += ACCESS_LIFE
    tokens.log_in(user)
    assert len(state.users.tokens()) == 1


def test_logging_out_ends_what_came_of_one_log_in(tokens: Tokens, state: State) -> None:
    user = anna(state, NOW)
    stays, ends = tokens.log_in(user), tokens.log_in(user, ("access", "refresh"))
    _, key = tokens.key(Token(user, "key", "script", ["read"], NOW))
    tokens.end(ends.access)
    assert len(state.users.tokens()) == 2
    tokens.end(key)
    tokens.end("made up")
    assert [t.name for t in state.users.tokens().values()] != []
    tokens.end(stays.access)
    assert state.users.tokens() == {}


def test_a_code_is_the_only_one_and_does_not_last(
    tokens: Tokens, state: State, clock: Clock
) -> None:
    user = anna(state, NOW)
    first, second = tokens.reset(user), tokens.reset(user)
    assert tokens.of_reset(first) is None
    assert tokens.of_reset(second) == user
    assert tokens.of_reset(tokens.log_in(user).access) is None
    clock.now += RESET_LIFE - timedelta(seconds=1)
    assert tokens.of_reset(second) == user
    clock.now += timedelta(seconds=1)
    assert tokens.of_reset(second) is None


def test_nobody_has_endless_keys(tokens: Tokens, state: State) -> None:
    key = Token(anna(state, NOW), "key", "script", ["read"], NOW)
    for _ in range(MOST_KEYS):
        tokens.key(key)
    with pytest.raises(RequestError) as caught:
        tokens.key(key)
    assert caught.value.status == 409
