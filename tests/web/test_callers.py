from dataclasses import replace
from datetime import timedelta

import pytest

from flexedge.domain.rights import NOBODY, Caller, Scope
from flexedge.store.state import State
from flexedge.store.tables.users import Token
from flexedge.web.api.parts import Parts
from flexedge.web.callers import OWNER, Callers
from flexedge.web.sessions import TOUCH_AFTER, Sessions
from flexedge.web.tokens import ACCESS_LIFE, Tokens
from tests.web.conftest import NOW, Clock
from tests.web.people import anna


@pytest.fixture
def state(parts: Parts) -> State:
    return parts.state


@pytest.fixture
def sessions(state: State, clock: Clock) -> Sessions:
    return Sessions(state, clock)


@pytest.fixture
def callers(state: State, sessions: Sessions, clock: Clock) -> Callers:
    return Callers(state, sessions, clock)


@pytest.fixture
def tokens(state: State, clock: Clock) -> Tokens:
    return Tokens(state, clock)


def test_a_user_is_known_with_all_that_says_what_they_may_do(
    callers: Callers, tokens: Tokens, sessions: Sessions, state: State
) -> None:
    user = anna(state, NOW, "consultant")
    expected = Caller(
        "user", user_id=user, name="Anna", account_id=1, roles=frozenset({"consultant"}),
        account_roles=frozenset({"Consultancy"}),
    )  # fmt: skip
    assert callers.of_session(sessions.open(user_id=user)) == expected
    assert callers.of_session(sessions.open()) == OWNER
    caller = callers.of_token(tokens.log_in(user).access)
    assert caller == replace(expected, token_id=1)
    assert not caller.by_cookie
    assert expected.by_cookie


def test_a_key_has_its_scopes_and_its_end(
    callers: Callers, tokens: Tokens, state: State, clock: Clock
) -> None:
    user = anna(state, NOW)
    until = NOW + timedelta(days=1)
    number, shown = tokens.key(Token(user, "key", "script", ["read", "nonsense"], NOW, until))
    caller = callers.of_token(shown)
    assert (caller.scopes, caller.token_id) == (frozenset[Scope]({"read"}), number)
    clock.now = until
    assert callers.of_token(shown) == NOBODY


def test_codes_and_refresh_tokens_are_nobody(
    callers: Callers, tokens: Tokens, state: State
) -> None:
    user = anna(state, NOW)
    pair = tokens.log_in(user, ("access", "refresh"))
    assert callers.of_token(pair.refresh or "") == NOBODY
    assert callers.of_token(tokens.reset(user)) == NOBODY
    assert callers.of_token("made up") == NOBODY


def test_an_access_token_ends_also_while_it_is_remembered(
    callers: Callers, tokens: Tokens, state: State, clock: Clock
) -> None:
    shown = tokens.log_in(anna(state, NOW)).access
    clock.now += ACCESS_LIFE - timedelta(seconds=1)
    assert callers.of_token(shown).known
    assert callers.of_token(shown).known
    clock.now += timedelta(seconds=1)
    assert callers.of_token(shown) == NOBODY


@pytest.mark.parametrize("change", [{"active": False}, {"roles": ["admin"]}])
def test_a_change_of_a_user_is_seen_at_once(
    callers: Callers, tokens: Tokens, state: State, change: dict[str, object]
) -> None:
    user = anna(state, NOW)
    shown = tokens.log_in(user).access
    before = callers.of_token(shown)
    state.users.change(user, replace(state.users.all()[user], **change))  # type: ignore[arg-type]
    after = callers.of_token(shown)
    assert before.known
    assert (after.known, after.is_admin) == (change.get("active", True), "roles" in change)


def test_many_uses_are_noted_once_in_five_minutes(
    callers: Callers, tokens: Tokens, state: State, clock: Clock
) -> None:
    user = anna(state, NOW)
    shown = tokens.log_in(user).access
    callers.of_token(shown)
    written = state.changes
    for _ in range(100):
        clock.now += timedelta(seconds=2)
        callers.of_token(shown)
    assert state.changes == written
    assert state.users.all()[user].seen == NOW
    clock.now = NOW + TOUCH_AFTER
    callers.of_token(shown)
    assert state.changes == written + 1
    assert state.users.all()[user].seen == clock.now
    assert [token.used for token in state.users.tokens().values()] == [clock.now]
