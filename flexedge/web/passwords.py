"""What a password must be: long enough, and not one of those that everybody tries first."""

import unicodedata

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
