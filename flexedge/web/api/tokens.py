"""Keys of users and service accounts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flexedge.domain.rights import Caller, may, outranked
from flexedge.store.tables.users import Token
from flexedge.web.api.desk import ROOT, Desk
from flexedge.web.api.op import Call, Op, Rejected, Reply, forbidden, invalid
from flexedge.wire.tokens import KeyMade, KeysAsked, KeyTold, NewKey

_TAG: Final = "Keys"
_LARGEST_DIGITS: Final = 18
_PLACE: Final = f"{ROOT}/tokens"


def operations(desk: Desk) -> tuple[Op, ...]:
    """The operations."""

    def listed(call: Call[KeysAsked, None]) -> Reply:
        wanted = call.query.user
        return Reply(
            [
                KeyTold(**_fields(number, token))
                for number, token in _keys(desk).items()
                if wanted in (None, token.user_id) and _sees(desk, call.caller, token.user_id)
            ]
        )

    def made(call: Call[None, NewKey]) -> Reply:
        return _made(desk, call)

    def deleted(call: Call[None, None]) -> Reply:
        text = call.path["number"]
        known = text.isascii() and text.isdecimal() and len(text) <= _LARGEST_DIGITS
        token = _keys(desk).get(int(text)) if known else None
        if token is None or not _sees(desk, call.caller, token.user_id):
            raise Rejected(404, "NOT_FOUND", f"Key {text[:40]} not found")
        _demand_for(desk, call.caller, token.user_id)
        desk.state.users.revoke(int(text))
        _note(desk, call.caller, f"Key {token.name} deleted", token.user_id)
        return Reply(None, 204)

    return (
        Op(
            method="GET", path=_PLACE, run=listed, tag=_TAG, query=KeysAsked,
            summary="List one's keys", answers={200: list[KeyTold]},
            description="Heads of an account see those of its service accounts, admins see all.",
        ),
        Op(
            method="POST", path=_PLACE, run=made, tag=_TAG, scope="manage", body=NewKey,
            summary="Make a key", answers={201: KeyMade},
            description="It can do no more than what was shown to make it. It is told once.",
        ),
        Op(
            method="DELETE", path=f"{_PLACE}/{{number}}", run=deleted, tag=_TAG, scope="manage",
            summary="End a key", answers={204: None},
        ),
    )  # fmt: skip


def _made(desk: Desk, call: Call[None, NewKey]) -> Reply:
    body, caller = call.body, call.caller
    user_id = caller.user_id if body.user is None else body.user
    if user_id is None:
        invalid({"user": ["Say whose key it is: you are no user."]})
    _demand_for(desk, caller, user_id)
    beyond = set(body.scopes) - caller.scopes
    if beyond:
        forbidden(f"What you showed does not itself have the scope {min(beyond)!r}.")
    if not body.scopes:
        invalid({"scopes": ["A key needs at least one scope."]})
    lasting = body.expires_in
    if lasting is not None and lasting <= timedelta(0):
        invalid({"expires_in": ["Should be longer than nothing, or null."]})
    expires = None if lasting is None else call.now + lasting
    token = Token(user_id, "key", body.name, sorted(set(body.scopes)), call.now, expires)
    number, shown = desk.access.tokens.key(token)
    _note(desk, caller, f"Key {body.name} created", user_id)
    until = "until it is deleted" if expires is None else f"until {expires.isoformat()}"
    message = f"Keep the token: it is not told again. It lasts {until}."
    return Reply(KeyMade(**_fields(number, token), token=shown, message=message), 201)


def _keys(desk: Desk) -> Mapping[int, Token]:
    return {
        number: token for number, token in desk.state.users.tokens().items() if token.kind == "key"
    }


def _fields(number: int, token: Token) -> dict[str, Any]:
    return {
        "id": number, "name": token.name, "user": token.user_id, "scopes": token.scopes,
        "created": token.created, "expires": token.expires, "last_used": token.used,
    }  # fmt: skip


def _sees(desk: Desk, caller: Caller, user_id: int) -> bool:
    return caller.sees_all or _may(desk, caller, user_id)


def _may(desk: Desk, caller: Caller, user_id: int) -> bool:
    """Whether a caller may make and end keys of a user."""
    if caller.is_admin or caller.user_id == user_id:
        return True
    user = desk.state.users.get(user_id)
    if user is None or user.email is not None:
        return False
    thing = desk.user(user_id, user)
    return may(caller, "update", thing) and not outranked(caller, user.roles, thing)


def _demand_for(desk: Desk, caller: Caller, user_id: int) -> None:
    if not _may(desk, caller, user_id):
        forbidden(
            "Keys of others are made and ended by admins; of service accounts by their heads."
        )
    if desk.state.users.get(user_id) is None:
        invalid({"user": [f"No user found with id {user_id}."]})


def _note(desk: Desk, caller: Caller, what: str, user_id: int) -> None:
    user = desk.state.users.get(user_id)
    account = None if user is None else user.account_id
    desk.note(caller, what, account_id=account, affected_user_id=user_id)
