from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from flexedge.cloud.keys import Key
from flexedge.errors import CentreAway, CentreLocked
from tests.cloud.faulty import Faulty, Got, answer, resets, says
from tests.cloud.parts import NOW, PASSWORD, TOKEN, Clock, Held, central

HOUR = timedelta(hours=1)
REFRESH = Key(token="first", refresh="once", since=NOW)
ACCOUNTS = says(answer(200, [{"id": 1, "name": "Site"}]))
WHO = says(answer(401, {"message": "You could not be properly authenticated."}))
WRONG = says(answer(401, {"errors": ["User password does not match: secret-password."]}))
BROKEN = says(answer(500, {"message": "x"}))
Step = Callable[..., bool]


def token(text: str, refresh: str = "") -> Step:
    more = {"refresh_token": refresh} if refresh else {}
    return says(answer(200, {"auth_token": text, "user_id": 7} | more))


def shown(got: Sequence[Got]) -> list[str]:
    """What was asked, and with which token."""
    names = {"/api/requestAuthToken": "log in", "/api/refreshAuthToken": "refresh"}
    return [names.get(one.path) or one.headers["authorization"] for one in got]


def test_a_token_is_shown_as_it_is() -> None:
    with Faulty([ACCOUNTS]) as server, closing(central(server.url)) as centre:
        assert centre.accounts() == {1: "Site"}
    assert shown(server.got) == ["secret-token"]


def test_a_password_gets_a_token_that_is_kept() -> None:
    held = Held(PASSWORD)
    with Faulty([token("first"), ACCOUNTS]) as server, closing(central(server.url, held)) as centre:
        centre.accounts()
        centre.accounts()
        assert centre.login.user_id == 7
        assert centre.login.ends() is None
    assert shown(server.got) == ["log in", "first", "first"]
    assert server.got[0].json == {"email": "anna@example.org", "password": "secret-password"}
    assert held.key == replace(PASSWORD, token="first", since=NOW)


def test_a_token_is_renewed_before_it_ends() -> None:
    clock, held = Clock(), Held(replace(PASSWORD, token="first", since=NOW))
    with Faulty([ACCOUNTS, ACCOUNTS, token("second"), ACCOUNTS]) as server:
        with closing(central(server.url, held, clock)) as centre:
            centre.accounts()
            clock.on(5 * HOUR - timedelta(seconds=1))
            centre.accounts()
            clock.on(timedelta(seconds=1))
            centre.accounts()
    assert shown(server.got) == ["first", "first", "log in", "second"]
    assert held.key is not None
    assert held.key.since == NOW + 5 * HOUR


def test_a_token_that_is_refused_is_renewed_once() -> None:
    held = Held(replace(PASSWORD, token="first", since=NOW))
    with Faulty([WHO, token("second"), ACCOUNTS]) as server:
        with closing(central(server.url, held)) as centre:
            assert centre.accounts() == {1: "Site"}
    assert shown(server.got) == ["first", "log in", "second"]


def test_who_is_refused_with_a_new_token_is_locked_out() -> None:
    held = Held(replace(PASSWORD, token="first", since=NOW))
    with Faulty([WHO, token("second"), WHO]) as server:
        with closing(central(server.url, held)) as centre, pytest.raises(CentreLocked):
            centre.accounts()
    assert shown(server.got) == ["first", "log in", "second"]


@pytest.mark.parametrize(
    "no",
    [
        WRONG, says(answer(404, {"errors": ["User with email 'secret-password' does not exist"]})),
        says(answer(403, {"message": "No.", "status": "INVALID_SENDER"})),
        says(answer(422, {"message": {"json": {"email": ["Not an email."]}}})),
    ],
)  # fmt: skip
def test_who_cannot_log_in_is_locked_out(no: Step) -> None:
    held = Held(replace(PASSWORD, token="first", since=NOW))
    with Faulty([WHO, no]) as server, closing(central(server.url, held)) as centre:
        with pytest.raises(CentreLocked) as caught:
            centre.accounts()
    assert "secret-password" not in str(caught.value)
    assert shown(server.got) == ["first", "log in"]
    assert held.written == []


def test_too_many_wrong_passwords_are_not_tried_on() -> None:
    with Faulty([says(answer(429, {}, {"Retry-After": "60"}))]) as server:
        with closing(central(server.url, Held(PASSWORD))) as centre:
            with pytest.raises(CentreAway) as caught:
                centre.accounts()
    assert (caught.value.kind, caught.value.retry_after) == ("busy", timedelta(minutes=1))


def test_a_pasted_token_says_when_it_ends_and_is_not_renewed() -> None:
    held = Held(replace(TOKEN, since=NOW))
    with Faulty([WHO]) as server, closing(central(server.url, held)) as centre:
        assert centre.login.ends() == NOW + 6 * HOUR
        with pytest.raises(CentreLocked, match="no password"):
            centre.accounts()
    assert shown(server.got) == ["secret-token"]


def test_a_token_of_unknown_age_is_used_until_it_is_refused() -> None:
    clock, held = Clock(), Held(replace(PASSWORD, token="first"))
    with Faulty([ACCOUNTS]) as server, closing(central(server.url, held, clock)) as centre:
        clock.on(1000 * HOUR)
        centre.accounts()
        assert centre.login.ends() is None
    assert shown(server.got) == ["first"]


def test_who_linked_anew_meanwhile_is_used() -> None:
    held = Held(replace(TOKEN, token="old"))
    with Faulty([ACCOUNTS, WHO, ACCOUNTS]) as server:
        with closing(central(server.url, held)) as centre:
            centre.accounts()
            held.key = replace(TOKEN, token="pasted")
            centre.accounts()
    assert shown(server.got) == ["old", "old", "pasted"]


def test_an_early_renewal_that_fails_leaves_the_token_we_have() -> None:
    clock, held = Clock(NOW + 5 * HOUR), Held(replace(PASSWORD, token="first", since=NOW))
    steps = [BROKEN, ACCOUNTS, ACCOUNTS, token("second"), ACCOUNTS]
    with Faulty(steps) as server, closing(central(server.url, held, clock)) as centre:
        centre.accounts()
        clock.on(timedelta(minutes=14))
        centre.accounts()
        clock.on(timedelta(minutes=1))
        centre.accounts()
    assert shown(server.got) == ["log in", "first", "first", "log in", "second"]


def test_a_refresh_token_gets_the_next_pair() -> None:
    clock, held = Clock(), Held(REFRESH)
    with Faulty([token("second", "twice"), ACCOUNTS]) as server:
        with closing(central(server.url, held, clock)) as centre:
            clock.on(5 * HOUR)
            centre.accounts()
    assert shown(server.got) == ["refresh", "second"]
    assert server.got[0].json == {"refresh_token": "once"}
    assert held.key == Key(token="second", refresh="twice", since=NOW + 5 * HOUR)


def test_a_refresh_token_is_not_shown_again_while_there_is_hope() -> None:
    clock, held = Clock(NOW + 5 * HOUR), Held(REFRESH)
    steps = [resets(), ACCOUNTS, ACCOUNTS, WHO, token("second", "twice"), ACCOUNTS]
    with Faulty(steps) as server, closing(central(server.url, held, clock)) as centre:
        centre.accounts()
        clock.on(HOUR - timedelta(minutes=1))
        centre.accounts()
        clock.on(timedelta(minutes=2))
        centre.accounts()
    assert shown(server.got) == ["refresh", "first", "first", "first", "refresh", "second"]


def test_a_refresh_token_is_not_repeated_on_a_dead_connection() -> None:
    clock, held = Clock(), Held(REFRESH)
    with Faulty([ACCOUNTS, resets(), ACCOUNTS]) as server:
        with closing(central(server.url, held, clock)) as centre:
            centre.accounts()
            clock.on(5 * HOUR)
            centre.accounts()
    assert shown(server.got) == ["first", "refresh", "first"]


def test_a_full_disk_does_not_lock_out() -> None:
    held = Held(PASSWORD, full=True)
    with Faulty([token("first"), ACCOUNTS]) as server, closing(central(server.url, held)) as centre:
        assert centre.accounts() == {1: "Site"}
        assert centre.login.unsaved == "the disk is full"
        centre.accounts()
    assert shown(server.got) == ["log in", "first", "first"]


@pytest.mark.parametrize("odd", [{}, [], {"auth_token": 5}, {"auth_token": ""}])
def test_a_log_in_without_token_is_odd(odd: object) -> None:
    with Faulty([says(answer(200, odd))]) as server:
        with closing(central(server.url, Held(PASSWORD))) as centre:
            with pytest.raises(CentreAway) as caught:
                centre.log_in()
    assert caught.value.kind == "garbled"


@pytest.mark.parametrize("odd", ["secret\r\nHost: other", "sécret", "se cret", "s" * 5000])
def test_a_token_that_cannot_be_sent_is_not_shown_in_an_error(odd: str) -> None:
    with Faulty([ACCOUNTS]) as server:
        with closing(central(server.url, Held(Key(token=odd)))) as centre:
            with pytest.raises(CentreLocked) as caught:
                centre.accounts()
    assert "cret" not in repr(caught.value)
    assert server.got == []


def test_without_a_credential_nothing_is_asked() -> None:
    with Faulty([ACCOUNTS]) as server, closing(central(server.url, Held(None))) as centre:
        with pytest.raises(CentreLocked):
            centre.accounts()
    assert server.got == []


def test_a_clock_that_is_set_back_does_not_renew_for_ever() -> None:
    clock, held = Clock(), Held(replace(PASSWORD, token="first", since=NOW + 1000 * HOUR))
    with Faulty([ACCOUNTS]) as server, closing(central(server.url, held, clock)) as centre:
        centre.accounts()
    assert shown(server.got) == ["first"]
