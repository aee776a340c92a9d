import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.errors import RequestError, TooManyTries
from flexedge.store.state import State
from flexedge.web.auth import CODE_TRIES, Access
from tests.web.people import ANNA, PASSWORD, anna

GOOD, OTHER = "correct horse battery", "another good secret"
HERE = "192.168.1.20"
NOW = datetime(2026, 4, 21, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


@pytest.fixture
def access(state: State, tmp_path: Path, clock: Clock) -> Access:
    return Access(state, tmp_path, clock)


def code_of(access: Access) -> str:
    code = access.claim_code
    assert code is not None
    return code


def status_of(work: Callable[[], object]) -> int:
    with pytest.raises(RequestError) as caught:
        work()
    return caught.value.status


def test_the_code_lies_in_a_private_file_and_is_hashed_elsewhere(
    access: Access, tmp_path: Path
) -> None:
    code = code_of(access)
    file = tmp_path / "claim-code"
    assert file.read_text() == code + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    others = b"".join(p.read_bytes() for p in tmp_path.iterdir() if p != file)
    assert code.encode() not in others
    assert code.replace("-", "").encode() not in others


def test_the_code_survives_a_restart_and_is_renewed_when_lost(
    access: Access, state: State, tmp_path: Path, clock: Clock
) -> None:
    assert Access(state, tmp_path, clock).claim_code == access.claim_code
    first = access.claim_code
    (tmp_path / "claim-code").unlink()
    renewed = Access(state, tmp_path, clock)
    assert renewed.claim_code != first
    renewed.claim(code_of(renewed), GOOD, HERE)


def test_claiming_sets_the_password_and_ends_the_code(access: Access, tmp_path: Path) -> None:
    code = code_of(access)
    token = access.claim(code.lower().replace("-", " "), GOOD, HERE)
    assert access.role(token, None) == "owner"
    assert access.claimed
    assert access.claim_code is None
    assert not (tmp_path / "claim-code").exists()
    assert status_of(lambda: access.claim(code, OTHER, HERE)) == 409
    assert access.role(access.login(GOOD, HERE), None) == "owner"


def test_neither_password_nor_token_is_kept_in_the_clear(access: Access, tmp_path: Path) -> None:
    token = access.claim(code_of(access), GOOD, HERE)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert GOOD.encode() not in kept
    assert token.encode() not in kept
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in kept


def test_a_wrong_code_and_a_wrong_password_get_the_same_answer(access: Access) -> None:
    with pytest.raises(RequestError) as of_code:
        access.claim("0000-0000", GOOD, HERE)
    access.claim(code_of(access), GOOD, HERE)
    with pytest.raises(RequestError) as of_password:
        access.login(OTHER, HERE)
    for caught in (of_code, of_password):
        assert caught.value.status == 401
    assert of_code.value.message == of_password.value.message


def test_nobody_logs_in_before_there_is_a_password(access: Access) -> None:
    assert status_of(lambda: access.login("", HERE)) == 401


def test_after_ten_wrong_codes_there_is_a_new_one(access: Access) -> None:
    old = code_of(access)
    for n in range(CODE_TRIES):
        assert access.claim_code == old
        wrong = "0000-0000" if old != "0000-0000" else "1111-1111"
        address = f"10.0.0.{n}"  # each from elsewhere: the throttle alone would not stop it
        assert status_of(lambda a=address, w=wrong: access.claim(w, GOOD, a)) == 401  # type: ignore[misc] # bound early
    assert access.claim_code != old
    assert status_of(lambda: access.claim(old, GOOD, HERE)) == 401
    access.claim(code_of(access), GOOD, HERE)


def test_guessing_passwords_is_slowed_down_but_not_forever(access: Access, clock: Clock) -> None:
    access.claim(code_of(access), GOOD, HERE)
    for _ in range(10):
        assert status_of(lambda: access.login(OTHER, HERE)) == 401
    with pytest.raises(TooManyTries):
        access.login(GOOD, HERE)
    clock.now += timedelta(seconds=1)
    access.login(GOOD, HERE)


def test_changing_the_password_ends_every_session_but_the_new_one(access: Access) -> None:
    old = access.claim(code_of(access), GOOD, HERE)
    assert status_of(lambda: access.change_password(OTHER, OTHER, HERE)) == 401
    assert access.role(old, None) == "owner"
    new = access.change_password(GOOD, OTHER, HERE)
    assert (access.role(old, None), access.role(new, None)) == ("nobody", "owner")
    assert status_of(lambda: access.login(GOOD, HERE)) == 401
    access.login(OTHER, HERE)


def test_programs_on_the_box_may_set_a_password_without_the_old_one(access: Access) -> None:
    access.change_password(None, GOOD, HERE)
    assert access.claim_code is None
    access.login(GOOD, HERE)


def test_poor_passwords_are_refused_everywhere(access: Access) -> None:
    code = code_of(access)
    assert status_of(lambda: access.claim(code, "short", HERE)) == 422
    assert not access.claimed
    assert status_of(lambda: access.change_password(None, "short", HERE)) == 422


def test_the_local_token_is_known_and_others_are_not(
    access: Access, state: State, tmp_path: Path, clock: Clock
) -> None:
    assert access.role(None, access.local_token) == "local"
    assert access.role(None, "ünknown") == "nobody"
    assert access.role(None, None) == "nobody"
    assert Access(state, tmp_path, clock).local_token != access.local_token


def test_a_bad_bearer_token_is_not_made_good_by_a_session(access: Access) -> None:
    token = access.claim(code_of(access), GOOD, HERE)
    assert access.role(token, "wrong") == "nobody"


def test_a_ticket_opens_a_session_before_there_is_a_password(access: Access) -> None:
    ticket = access.issue_ticket()
    token = access.redeem(ticket)
    assert access.role(token, None) == "owner"
    assert access.role(access.redeem(ticket, token), None) == "owner"
    assert access.role(token, None) == "nobody"
    assert status_of(lambda: access.redeem("made-up")) == 401


def test_claiming_ends_sessions_opened_before(access: Access) -> None:
    visitor = access.redeem(access.issue_ticket())
    access.claim(code_of(access), GOOD, HERE)
    assert access.role(visitor, None) == "nobody"


def test_a_header_may_say_bearer_or_not(access: Access) -> None:
    for header in (
        access.local_token,
        f"Bearer {access.local_token}",
        f" bearer  {access.local_token}",
    ):
        assert access.role(None, header) == "local"
    assert access.role(None, f"Basic {access.local_token}") == "nobody"


def test_users_log_in_by_email_in_any_case(access: Access, state: State) -> None:
    user = anna(state, NOW)
    session = access.login(PASSWORD, HERE, email=" Anna@Example.ORG ")
    assert access.caller(None, session).user_id == user
    shown = access.log_in(ANNA, PASSWORD, HERE).access
    assert access.caller(shown, None).user_id == user
    assert state.users.all()[user].logins == 1  # tokens do not count
    assert state.users.all()[user].logged_in == NOW


def test_strangers_wrong_passwords_and_the_inactive_get_the_same_answer(
    access: Access, state: State
) -> None:
    user = anna(state, NOW)
    told = set()
    for email, password in (("eve@example.org", PASSWORD), (ANNA, OTHER), (ANNA, "")):
        with pytest.raises(RequestError) as caught:
            access.log_in(email, password, HERE)
        told.add((caught.value.status, caught.value.message))
    state.users.change(user, replace(state.users.all()[user], active=False))
    with pytest.raises(RequestError) as caught:
        access.log_in(ANNA, PASSWORD, HERE)
    assert told == {(caught.value.status, caught.value.message)}


def test_the_owners_password_is_no_users_and_the_other_way_round(
    access: Access, state: State
) -> None:
    anna(state, NOW)
    access.claim(code_of(access), GOOD, HERE)
    assert status_of(lambda: access.login(PASSWORD, HERE)) == 401
    assert status_of(lambda: access.login(GOOD, HERE, email=ANNA)) == 401
    assert status_of(lambda: access.login(GOOD, HERE, email="")) == 401


def test_a_changed_password_ends_all_that_could_be_shown(access: Access, state: State) -> None:
    user = anna(state, NOW)
    owner = access.claim(code_of(access), GOOD, HERE)
    session = access.login(PASSWORD, HERE, email=ANNA)
    shown = access.log_in(ANNA, PASSWORD, HERE).access
    assert status_of(lambda: access.change_users_password(user, OTHER, OTHER, HERE)) == 401
    new = access.change_users_password(user, PASSWORD, OTHER, HERE)
    assert access.role(session, None) == access.role(None, shown) == "nobody"
    assert access.caller(None, new).user_id == user
    assert access.role(owner, None) == "owner"
    assert status_of(lambda: access.log_in(ANNA, PASSWORD, HERE)) == 401


def test_who_was_given_a_code_chooses_a_password_once(access: Access, state: State) -> None:
    user = anna(state, NOW)
    shown = access.log_in(ANNA, PASSWORD, HERE).access
    code = access.reset_password(user)
    assert access.role(None, shown) == "nobody"
    assert status_of(lambda: access.log_in(ANNA, PASSWORD, HERE)) == 401
    assert status_of(lambda: access.choose_password(code, "short", HERE)) == 422
    assert access.choose_password(code, OTHER, HERE) == user
    assert status_of(lambda: access.choose_password(code, OTHER, HERE)) == 401
    access.log_in(ANNA, OTHER, HERE)


def test_one_user_guessed_from_many_addresses_is_slowed_but_known_places_are_not(
    access: Access, state: State, clock: Clock, tmp_path: Path
) -> None:
    anna(state, NOW)
    access.log_in(ANNA, PASSWORD, HERE)
    for n in range(10):
        assert status_of(lambda n=n: access.log_in(ANNA, OTHER, f"10.0.0.{n}")) == 401  # type: ignore[misc] # bound early
    assert status_of(lambda: access.log_in(ANNA, PASSWORD, "10.0.1.1")) == 429
    access.log_in(ANNA, PASSWORD, HERE)
    restarted = Access(state, tmp_path, clock)
    assert status_of(lambda: restarted.log_in(ANNA, PASSWORD, "10.0.1.1")) == 429
    clock.now += timedelta(seconds=30)
    restarted.log_in(ANNA, PASSWORD, "10.0.1.1")
