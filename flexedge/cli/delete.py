"""flexedge delete account | user | token."""

import argparse
from collections.abc import Callable

from flexedge.cli.output import print_json
from flexedge.cli.people import ROOT, Asked, account_number, asked, user_number
from flexedge.errors import FlexedgeError


def run(options: argparse.Namespace) -> int:
    """Delete one."""
    kinds: dict[str, Callable[[Asked, str], int]] = {
        "account": account_number, "user": user_number, "token": _token_number
    }  # fmt: skip
    with asked(options) as gateway:
        number = kinds[options.what](gateway, options.which)
        gateway.send("DELETE", f"{ROOT}/{options.what}s/{number}")
    told = {"deleted": options.what, "id": number}
    print_json(told) if options.json else print(f"{options.what} {number} is deleted")
    return 0


def _token_number(_gateway: Asked, text: str) -> int:
    if not text.isdecimal():
        raise FlexedgeError(f"{text!r} should be the number of a token; 'flexedge show tokens'")
    return int(text)
