"""What a password must be, and how it is kept.

Long enough, not one of those that everybody tries first; only its argon2id hash is written down.
"""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flexedge.errors import RequestError

LEAST = 10
MOST = 200
_TRIED_FIRST = """
0123456789 1234567890 0987654321 12345678910 123456789a 1234567891 1q2w3e4r5t 1qaz2wsx3edc
administrator changeme123 iloveyou12 letmein123 password12 password123 password1234
passw0rd123 passwort123 qwerty1234 qwerty12345 qwertyuiop qwertzuiop raspberry1 raspberry123
raspberrypi superman123 welcome123 welkom1234 wachtwoord wachtwoord1 wachtwoord123 willkommen
abcdefghij abcdefghijk azertyuiop football123 hallo12345 geheim1234 flexedge123 flexedge1234
"""
_COMMON = frozenset(_TRIED_FIRST.split())
_LEAST_DIFFERENT = 4
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def normal(password: str) -> str:
    """The same password for the same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password)


def demand(password: str) -> None:
    """Raise ``RequestError`` 422 with the remedy if this may not become a password."""
    if len(password) < LEAST:
        raise RequestError(422, f"Choose a password of at least {LEAST} characters.")
    if len(password) > MOST:
        raise RequestError(422, f"Choose a password of at most {MOST} characters.")
    if password.lower() in _COMMON or len(set(password)) < _LEAST_DIFFERENT:
        raise RequestError(422, "This password is too easy to guess; choose another one.")


def hashed(secret: str) -> str:
    """How a password or a code is kept. Takes about 0.1 s and 19 MiB."""
    return _HASHER.hash(secret)


def fits(kept: str | None, secret: str) -> bool:
    """Whether this is the secret of a hash; takes as long where there is none."""
    try:
        _HASHER.verify(kept or _nobodys(), secret)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobodys() -> str:
    """The hash of something that nobody knows."""
    return hashed(secrets.token_urlsafe(32))
