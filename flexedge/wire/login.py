"""Logging in by programs."""

from pydantic import Field, StrictBool

from flexedge.wire.shape import Shape, Told


class Login(Shape):
    """Who says to be a user."""

    email: str = Field(max_length=300)
    password: str = Field(max_length=1000)
    refresh: StrictBool = False
    """Whether a refresh token is wanted, too."""


class TokenTold(Told):
    """An access token, to be sent as the header "Authorization" for 6 hours."""

    auth_token: str
    user_id: int
    status: int = 200


class TokensTold(TokenTold):
    """An access token, and what gives the next one, once."""

    refresh_token: str


class Refresh(Shape):
    """What gives the next access token."""

    refresh_token: str = Field(max_length=200)


class NotLoggedIn(Told):
    """Why there is no token."""

    errors: list[str]
    status: int = 401


class NewPassword(Shape):
    """The password that a user chose, and the code that lets them."""

    code: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class Done(Told):
    """What was done."""

    message: str
    status: int = 200
