import pytest

from flexedge.domain.rights import (
    ACCOUNT_ADMIN,
    ADMIN,
    ADMIN_READER,
    CONSULTANCY,
    CONSULTANT,
    NOBODY,
    TASK_RUNNER,
    Caller,
    Thing,
    may,
    may_give,
    outranked,
)


def user(account: int, *roles: str, number: int = 1, of: tuple[str, ...] = ()) -> Caller:
    return Caller("user", number, "u", account, frozenset(roles), frozenset(of))


OWNER, LOCAL = Caller("owner"), Caller("local")
MEMBER, HEAD, STRANGER = user(1), user(1, ACCOUNT_ADMIN), user(2, ACCOUNT_ADMIN)
ADVISER = user(3, CONSULTANT, of=(CONSULTANCY,))
TARGET = Thing("user", 1, 3, 9)


def test_strangers_and_nobody_may_nothing_and_admins_all() -> None:
    for kind in ("account", "user", "asset", "sensor", "gateway"):
        thing = Thing(kind, 1, 3)
        for permission in ("read", "update", "delete", "create-children"):
            assert not may(NOBODY, permission, thing)
            assert not may(STRANGER, permission, thing)
            assert may(OWNER, permission, thing)
            assert may(LOCAL, permission, thing)
            assert may(user(2, ADMIN), permission, thing)
            assert may(user(2, ADMIN_READER), permission, thing) == (permission == "read")


def test_members_heads_and_consultants_stand_by_their_account() -> None:
    asset = Thing("asset", 1, 3)
    assert may(MEMBER, "update", asset)
    assert not may(MEMBER, "delete", asset)
    assert may(HEAD, "delete", asset)
    assert may(ADVISER, "delete", asset)
    assert not may(user(3, of=(CONSULTANCY,)), "read", asset)


def test_public_things_are_read_by_who_is_known() -> None:
    public = Thing("sensor")
    assert may(MEMBER, "read", public)
    assert not may(MEMBER, "create-children", public)
    assert not may(NOBODY, "read", public)
    assert not may(MEMBER, "read", Thing("account"))


def test_consultancies_make_accounts() -> None:
    platform = Thing("platform")
    assert may(ADVISER, "create-children", platform)
    assert not may(user(3, CONSULTANT), "create-children", platform)
    assert not may(HEAD, "create-children", platform)


@pytest.mark.parametrize(
    ("role", "givers"),
    [
        (ADMIN, {"owner", "local"}),
        (ADMIN_READER, {"owner", "local", "admin"}),
        (TASK_RUNNER, {"owner", "local", "admin"}),
        (ACCOUNT_ADMIN, {"owner", "local", "admin", "adviser"}),
        (CONSULTANT, {"owner", "local", "admin", "head"}),
        ("made up", {"owner", "local", "admin"}),
    ],
)
def test_who_gives_which_role(role: str, givers: set[str]) -> None:
    callers = {
        "owner": OWNER, "local": LOCAL, "admin": user(2, ADMIN), "head": HEAD, "member": MEMBER,
        "adviser": ADVISER, "stranger": STRANGER, "reader": user(2, ADMIN_READER),
    }  # fmt: skip
    assert {name for name, one in callers.items() if may_give(one, role, TARGET)} == givers


@pytest.mark.parametrize(
    ("caller", "roles", "mightier"),
    [
        (HEAD, [], False),
        (HEAD, [ACCOUNT_ADMIN], False),
        (HEAD, [CONSULTANT], False),
        (HEAD, [ADMIN], True),
        (HEAD, [ADMIN_READER, ACCOUNT_ADMIN], True),
        (ADVISER, [ACCOUNT_ADMIN], False),
        (ADVISER, [CONSULTANT], True),
        (user(2, ADMIN), [ADMIN], False),
        (user(1, ADMIN_READER), [ADMIN], True),
        (user(1, number=9), [ADMIN], False),
    ],
)
def test_nobody_changes_who_is_mightier(
    caller: Caller, roles: list[str], *, mightier: bool
) -> None:
    assert outranked(caller, roles, TARGET) == mightier


def test_what_a_cookie_says_must_come_from_our_page() -> None:
    assert OWNER.by_cookie
    assert MEMBER.by_cookie
    assert not LOCAL.by_cookie
    assert not Caller("user", token_id=3).by_cookie
    assert not NOBODY.by_cookie
