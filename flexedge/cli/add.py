"""flexedge add account | user | token."""

import argparse
import getpass
import re
import sys
from collections.abc import Callable
from typing import Any

from flexedge.cli.output import print_json
from flexedge.cli.people import ROOT, Asked, account_number, asked, plan_number, user_number
from flexedge.domain.rights import ACCOUNT_ROLES, ROLES, SCOPES
from flexedge.errors import FlexedgeError
from flexedge.web.passwords import demand

_SPAN = re.compile(r"(\d{1,6})\s*([hdw])")
_UNITS = {"h": "PT{}H", "d": "P{}D", "w": "P{}W"}


def run(options: argparse.Namespace) -> int:
    """Add one, and print its number."""
    kinds: dict[str, Callable[[argparse.Namespace], int]] = {
        "account": _account, "user": _user, "token": _token
    }  # fmt: skip
    return kinds[options.what](options)


def _account(options: argparse.Namespace) -> int:
    name = _one_of(options.name, options.name_option, "the account's name")
    roles = _numbers(options.roles, ACCOUNT_ROLES, "account role")
    with asked(options) as gateway:
        body: dict[str, Any] = {"name": name}
        if options.consultancy is not None:
            body["consultancy_account_id"] = account_number(gateway, options.consultancy)
        change: dict[str, Any] = {"account_roles": roles} if roles else {}
        if options.plan is not None:
            change["plan_id"] = plan_number(gateway, options.plan)
        for word in ("primary_color", "secondary_color", "logo_url"):
            if getattr(options, word) is not None:
                change[word] = getattr(options, word)
        made = gateway.send("POST", f"{ROOT}/accounts", body=body)
        if change:
            made = gateway.send("PATCH", f"{ROOT}/accounts/{made['id']}", body=change)
    _tell(options, made, f"account {made['id']}: {made['name']}")
    return 0


def _user(options: argparse.Namespace) -> int:
    roles = _numbers(options.roles, ROLES, "role")
    password = None if options.email is None else _password(options)
    if options.email is None and options.username is None:
        raise FlexedgeError("give --email, or --username for a service account")
    with asked(options) as gateway:
        account = account_number(gateway, options.account)
        body = {
            "email": options.email, "account_id": account,
            "username": options.username or options.email,
        }  # fmt: skip
        made = gateway.send("POST", f"{ROOT}/users", body=body)
        made.pop("password_code", None)
        try:
            made |= _furnished(gateway, made["id"], options.timezone, roles, password)
        except FlexedgeError:
            gateway.send("DELETE", f"{ROOT}/users/{made['id']}")
            raise
    _tell(options, made, f"user {made['id']}: {made['username']}")
    return 0


def _furnished(
    gateway: Asked, number: int, timezone: str | None, roles: list[int], password: str | None
) -> dict[str, Any]:
    """Give a new user what they need; what has changed."""
    change: dict[str, Any] = {"flexmeasures_roles": roles} if roles else {}
    if timezone is not None:
        change["timezone"] = timezone
    made: dict[str, Any] = {}
    if change:
        made = gateway.send("PATCH", f"{ROOT}/users/{number}", body=change)
    if password is not None:
        code = gateway.send("PATCH", f"{ROOT}/users/{number}/password-reset")["password_code"]
        gateway.send("POST", "/api/setPassword", body={"code": code, "password": password})
    return made


def _token(options: argparse.Namespace) -> int:
    scopes = _words(options.scopes)
    wrong = set(scopes) - SCOPES
    if wrong or not scopes:
        raise FlexedgeError(
            f"{min(wrong, default='')!r} is no scope; there are {', '.join(sorted(SCOPES))}"
        )
    lasting = _duration(options.expires)
    with asked(options) as gateway:
        body = {
            "user": user_number(gateway, options.user), "name": options.name, "scopes": scopes,
            "expires_in": lasting,
        }  # fmt: skip
        made = gateway.send("POST", f"{ROOT}/tokens", body=body)
    if options.json:
        print_json(made)
    else:
        print(made["token"])
        print(f"token {made['id']}: {made['message']}", file=sys.stderr)
    return 0


def _duration(text: str) -> str | None:
    """What is typed, as 90d, in ISO 8601; None for "never"."""
    if text.lower() == "never":
        return None
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise FlexedgeError(f"{text!r} should be a span such as 90d, 12h or 8w, or never")
    return _UNITS[found[2]].format(found[1])


def _one_of(first: str | None, second: str | None, what: str) -> str:
    found = first or second
    if found is None or (first and second and first != second):
        raise FlexedgeError(f"give {what} once")
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(words: list[str], known: tuple[str, ...], kind: str) -> list[int]:
    """The numbers of roles that are given with commas or several times."""
    names = [name for text in words for name in _words(text)]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise FlexedgeError(f"{wrong[0]!r} is no {kind}; there are {', '.join(known)}")
    return [known.index(name) + 1 for name in names]


def _password(options: argparse.Namespace) -> str:
    """The password: of a file, typed twice at a terminal, or the first line of standard input."""
    if options.password_file is not None:
        try:
            lines = options.password_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FlexedgeError(f"{options.password_file}: cannot be read ({error})") from error
    elif sys.stdin.isatty():
        lines = [getpass.getpass("Password: "), getpass.getpass("Once more: ")]
    else:
        lines = [line.rstrip("\r\n") for line in sys.stdin.readlines(2000)]
    if not lines or not lines[0]:
        raise FlexedgeError("there is no password; type one, or give --password-file")
    if options.password_file is None and len(lines) > 1 and lines[1] not in ("", lines[0]):
        raise FlexedgeError("the two passwords are not the same")
    demand(lines[0])
    return str(lines[0])


def _tell(options: argparse.Namespace, made: dict[str, Any], words: str) -> None:
    made.pop("status", None)
    print_json(made) if options.json else print(words)
