"""Logging in by programs: tokens for passwords, and how they go on and end."""

from typing import Final

from flexedge.errors import RequestError
from flexedge.web.api.desk import Desk
from flexedge.web.api.op import Call, Op, Rejected, Reply
from flexedge.web.api.problems import UNAUTHENTICATED
from flexedge.web.auth import bare
from flexedge.wire.login import (
    Done,
    Login,
    NewPassword,
    NotLoggedIn,
    Refresh,
    TokensTold,
    TokenTold,
)

_TAG: Final = "Auth"
_WRONG: Final = NotLoggedIn(errors=["User password does not match."])
_UNAUTHORIZED: Final = 401


def operations(desk: Desk) -> tuple[Op, ...]:
    """The operations."""

    def log_in(call: Call[None, Login]) -> Reply:
        kinds = ("access", "refresh") if call.body.refresh else ("access",)
        try:
            pair = desk.access.log_in(call.body.email, call.body.password, call.address, kinds)
        except RequestError as error:
            if error.status == _UNAUTHORIZED:
                return Reply(_WRONG, _UNAUTHORIZED)
            raise
        if pair.refresh is None:
            return Reply(TokenTold(auth_token=pair.access, user_id=pair.user_id))
        return Reply(
            TokensTold(auth_token=pair.access, refresh_token=pair.refresh, user_id=pair.user_id)
        )

    def refresh(call: Call[None, Refresh]) -> Reply:
        pair = desk.access.tokens.refresh(call.body.refresh_token)
        return Reply(
            TokensTold(
                auth_token=pair.access, refresh_token=pair.refresh or "", user_id=pair.user_id
            )
        )

    def log_out(call: Call[None, None]) -> Reply:
        return _log_out(desk, call)

    def choose(call: Call[None, NewPassword]) -> Reply:
        return _choose(desk, call)

    return (
        Op(
            method="POST", path="/api/requestAuthToken", run=log_in, tag=_TAG, who="anybody",
            summary="Ask for an access token", body=Login,
            description="It lasts 6 hours. After many wrong passwords 429 says how long to wait.",
            answers={200: TokenTold | TokensTold, 401: NotLoggedIn},
        ),
        Op(
            method="POST", path="/api/refreshAuthToken", run=refresh, tag=_TAG, who="anybody",
            summary="Ask for the next access token", body=Refresh, answers={200: TokensTold},
            description="The refresh token is used up, the answer has the next one. One that is"
            " shown twice ends all that came of its log-in. It lasts 30 days.",
        ),
        Op(
            method="POST", path="/api/revokeAuthToken", run=log_out, tag=_TAG, who="anybody",
            summary="End the token that is shown", answers={200: Done},
        ),
        Op(
            method="POST", path="/api/setPassword", run=choose, tag=_TAG, who="anybody",
            summary="Choose a password with a code", body=NewPassword, answers={200: Done},
            description="Who makes a user, or resets a password, is told the code.",
        ),
    )  # fmt: skip


def _choose(desk: Desk, call: Call[None, NewPassword]) -> Reply:
    number = desk.access.choose_password(call.body.code, call.body.password, call.address)
    user = desk.state.users.get(number)
    if user is not None:
        desk.note(
            call.caller, f"User {user.name} chose a password",
            account_id=user.account_id, affected_user_id=number,
        )  # fmt: skip
    return Reply(Done(message="The password is set; log in with it."))


def _log_out(desk: Desk, call: Call[None, None]) -> Reply:
    if not call.caller.known:
        raise Rejected(401, "UNAUTHORIZED", UNAUTHENTICATED)
    if call.caller.token_id is not None:
        desk.access.tokens.end(bare(call.headers["authorization"]))
    return Reply(Done(message="The token, and what came of its log-in, is ended."))
