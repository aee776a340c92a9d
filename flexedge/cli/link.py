"""flexedge link | unlink: this gateway and a central server."""

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flexedge.cli.client import Client, client
from flexedge.cli.output import print_json
from flexedge.daemon.clock import WallClock
from flexedge.errors import FlexedgeError

_ROOT: Final = "/api/v3_0/gateway/centres"
_PATIENCE_S: Final = 120.0
"""How long the gateway may take for a look at a server that is slow."""
_SIGNS: Final = {"make": "+", "find": "=", "have": "=", "ask": "?", "leave": "-"}
_SAME_NAMES: Final = {"a": "adopt", "t": "take-over", "b": "beside"}
_SECRET: Final = ("email", "password", "token")
"""Given once: the gateway keeps them."""
Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Link or unlink; exit code 1 where something was refused or nothing was done."""
    return {"link": _link, "unlink": _unlink}[options.what](options)


def _link(options: argparse.Namespace) -> int:
    gateway = client(options, _PATIENCE_S)
    asked = _asked(options, _known(gateway, options.name))
    plan = gateway.send("POST", f"{_ROOT}/plan", body=asked)
    plan = _with_account(gateway, options, asked, plan)
    if options.dry_run:
        print_json(plan) if options.json else _show(plan)
        return 0
    if not options.json:
        _show(plan)
    if not _decided(options, asked, plan) or not _meant(options, "Link with it?"):
        print("nothing was linked", file=sys.stderr)
        return 1
    return _make(gateway, options, asked)


def _known(gateway: Client, name: str) -> bool:
    """Whether the gateway has a credential for that centre already."""
    return any(one["name"] == name for one in gateway.get(_ROOT))


def _asked(options: argparse.Namespace, known: bool) -> Json:  # noqa: FBT001 (what was found out)
    asked: Json = {"url": options.url, "name": options.name}
    if options.account is not None and options.account.isdecimal():
        asked["account"] = int(options.account)
    if options.scopes is not None:
        asked["scopes"] = [word.strip() for word in options.scopes.split(",") if word.strip()]
    if options.same_name is not None:
        asked["same_name"] = options.same_name
    return asked | _credential(options, known)


def _credential(options: argparse.Namespace, known: bool) -> Json:  # noqa: FBT001 (as above)
    """E-mail and password or token: of files, or typed; nothing where they are known."""
    email, files = options.email, (options.password_file, options.token_file)
    if email is None and files == (None, None):
        if known or not sys.stdin.isatty():
            return {}
        email = input("E-mail: ").strip()
    told = {"email": email} if email else {}
    if options.token_file is not None:
        return {**told, "token": _first_line(options.token_file, "token").strip()}
    if not told:
        raise FlexedgeError("give --email, too: with which to log in there")
    if options.password_file is not None:
        return {**told, "password": _first_line(options.password_file, "password")}
    if not sys.stdin.isatty():
        return {**told, "password": _typed("", "password")}
    password = getpass.getpass("Password (nothing, to paste a token): ")
    return (
        {**told, "password": password}
        if password
        else {**told, "token": _typed("Token: ", "token")}
    )


def _typed(prompt: str, what: str) -> str:
    """Typed at a terminal without being shown, or the first line of standard input."""
    typed = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    if not typed.strip():
        raise FlexedgeError(f"there is no {what}; type one, or give --{what}-file")
    return typed.strip() if what == "token" else typed.rstrip("\r\n")


def _first_line(path: Path, what: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FlexedgeError(f"{path}: cannot be read ({error})") from error
    if not lines or not lines[0].strip():
        raise FlexedgeError(f"{path}: its first line should be the {what}")
    return lines[0]


def _with_account(gateway: Client, options: argparse.Namespace, asked: Json, plan: Json) -> Json:
    """The plan for the account that is meant, which ``asked`` has then."""
    chosen = _account(options, plan)
    asked["account"] = chosen
    return plan if chosen == plan["account"] else gateway.send("POST", f"{_ROOT}/plan", body=asked)


def _account(options: argparse.Namespace, plan: Json) -> int:
    accounts = {one["id"]: one["name"] for one in plan["accounts"]}
    text = options.account
    if text is None and len(accounts) > 1 and sys.stdin.isatty() and not options.yes:
        for number, name in accounts.items():
            print(f"{number:>6}  {name}")
        text = input(f"Account [{plan['account']}]: ").strip() or None
    if text is None:
        return int(plan["account"])
    for number, name in accounts.items():
        if text.lower() in (str(number), name.lower()):
            return int(number)
    told = ", ".join(f"{number} ({name})" for number, name in accounts.items())
    raise FlexedgeError(f"there is no account {text!r}; there are {told}")


def _show(plan: Json) -> None:
    account = next(one["name"] for one in plan["accounts"] if one["id"] == plan["account"])
    print(
        f"{plan['url']} is {plan['server']} {plan['version']}; you are {plan['user'] or 'known'}"
        f" there, and the account is {account} ({plan['account']})"
    )
    for step in plan["steps"]:
        notes = f"  ({'; '.join(step['notes'])})" if step["notes"] else ""
        print(f"  {_SIGNS[step['way']]} {step['thing']:<6} {step['path']}{notes}")
    for note in plan["notes"]:
        print(f"  ! {note}")
    count = {way: sum(step["way"] == way for step in plan["steps"]) for way in _SIGNS}
    told = (
        (count["make"], "to make (+)"), (count["find"] + count["have"], "there already (=)"),
        (count["ask"], "with names that are taken (?)"), (count["leave"], "not sent (-)"),
    )  # fmt: skip
    print(", ".join(f"{n} {words}" for n, words in told if n) or "there is nothing to link")


def _decided(options: argparse.Namespace, asked: Json, plan: Json) -> bool:
    """Whether it is known what to do with what has the names that ours would get."""
    taken = [step for step in plan["steps"] if step["way"] == "ask"]
    if not taken:
        return True
    if options.yes or options.json or not sys.stdin.isatty():
        raise FlexedgeError(
            f"{len(taken)} names are taken there, as {taken[0]['path']}: give --adopt to take what"
            " has them as ours, or --beside to make ours under other names"
        )
    print("Names are taken there (?). What has them can become ours, unless it is another")
    print("gateway's (a); also then (t); or ours are made beside it, under other names (b).")
    word = _SAME_NAMES.get(input("a, t, b, or nothing to stop: ").strip().lower())
    if word is not None:
        asked["same_name"] = word
    return word is not None


def _meant(options: argparse.Namespace, question: str) -> bool:
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise FlexedgeError("give --yes where nobody can be asked")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _make(gateway: Client, options: argparse.Namespace, asked: Json) -> int:
    """Let the gateway go on until nothing is left."""
    tell: Callable[[str], None] = (lambda _: None) if options.json else print
    done: list[str] = []
    while True:
        told = gateway.send("POST", _ROOT, body=asked)
        asked = {key: one for key, one in asked.items() if key not in _SECRET}
        for one in told["done"]:
            tell(f"  {one}")
        done += told["done"]
        if told["undecided"]:
            step = told["undecided"][0]
            raise FlexedgeError(
                f"{step['path']}: its name is taken there; give --adopt or --beside"
            )
        if not told["left"]:
            break
        if told["wait_s"]:
            tell(f"  the server asks to wait {told['wait_s']:.0f} s; {told['left']} to go")
            _wait(told["wait_s"])
    if options.json:
        print_json({"name": told["name"], "done": done, "refused": told["refused"]})
    else:
        _end(told)
    return 1 if told["refused"] else 0


def _end(told: Mapping[str, Any]) -> None:
    print(f"linked with {told['name']}; what is measured goes there from now on")
    for name, words in told["refused"].items():
        print(f"  not taken there: {name}: {words}", file=sys.stderr)


def _wait(seconds: float) -> None:
    clock = WallClock()
    clock.sleeper().sleep(clock.now() + timedelta(seconds=seconds))


def _unlink(options: argparse.Namespace) -> int:
    gateway = client(options, _PATIENCE_S)
    known = {one["name"]: one for one in gateway.get(_ROOT)}
    if options.name not in known:
        raise FlexedgeError(
            f"there is no centre {options.name!r}: "
            + (f"there are {', '.join(known)}" if known else "this gateway is linked with none")
        )
    url = known[options.name]["url"]
    question = f"Forget {url}, and how far it knows what is measured here?"
    if not _meant(options, question):
        print("nothing was unlinked", file=sys.stderr)
        return 1
    if options.delete_there and not options.yes and not _named(url):
        print("nothing was unlinked", file=sys.stderr)
        return 1
    told = _forget(gateway, options)
    if options.json:
        print_json({name: one for name, one in told.items() if name not in ("left", "wait_s")})
        return 0
    for one, words in told["kept"].items():
        print(f"  {one} stays there: {words}", file=sys.stderr)
    print(f"unlinked from {told['url']}; {told['links']} links are forgotten")
    return 0


def _forget(gateway: Client, options: argparse.Namespace) -> Json:
    """Let the gateway go on until nothing is left; the last that it told, with all that went."""
    path = f"{_ROOT}/{options.name}"
    parameters = {"delete_there": str(options.delete_there).lower()}
    deleted: list[str] = []
    while True:
        told = gateway.send("DELETE", path, parameters)
        deleted += told["deleted"]
        if not options.json:
            for one in told["deleted"]:
                print(f"  deleted {one} there")
        if not told["left"]:
            return {**told, "deleted": deleted}
        if told["wait_s"]:
            _wait(told["wait_s"])


def _named(url: str) -> bool:
    print(f"What was made at {url} is deleted there, with all data it got, for good.")
    return input("Type the address once more to go on: ").strip() == url
