"""Linking with a central server, for people: what would be done, and doing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from flexedge.cloud.address import centre_url
from flexedge.cloud.central import Central, Greeting, Whoami
from flexedge.cloud.keys import Key, Keys
from flexedge.config.centre import MAIN, SCOPES, CentreRules, Scope
from flexedge.errors import CentreAway, CentreRefused, RequestError
from flexedge.gateway.sync.joining import Joining, begin_anew
from flexedge.gateway.sync.office import Office, hasty, pause
from flexedge.gateway.sync.ours import RECEIVED, Ours, ours, site_account
from flexedge.gateway.sync.preview import Preview
from flexedge.gateway.sync.steps import SameName, Step, Way
from flexedge.store.state import State
from flexedge.store.tables.audit import Entry
from flexedge.store.tables.centres import Centre

__all__ = [
    "Asked", "Office", "Plan", "Progress", "SameName", "Step", "Way",
    "centre_named", "link", "ours_for", "plan_link",
]  # fmt: skip
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Asked:
    """With which server to link, and how."""

    url: str
    key: Key | None = None
    """Who we are there; None: what is kept, or what systemd gave."""
    name: str = MAIN
    account_id: int | None = None
    """Whose the assets there shall be; None: the user's own account."""
    scopes: tuple[Scope, ...] = SCOPES
    same_name: SameName = "ask"


@dataclass(frozen=True, slots=True)
class Plan:
    """What linking would do; nothing is changed anywhere by making it."""

    name: str
    url: str
    greeting: Greeting
    who: Whoami
    accounts: Mapping[int, str]
    """Those to choose from."""
    account_id: int
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of ``link`` did. ``left``: call again as long as there is some."""

    name: str
    done: tuple[str, ...]
    """What was made, found or set, as sentences."""
    left: int
    refused: Mapping[str, str] = field(default_factory=dict)
    """What the centre did not take, with what it said; tried again by the next linking only."""
    undecided: tuple[Step, ...] = ()
    """Of these somebody must say what to do (``SameName``) before it goes on."""
    wait_s: float = 0.0
    """So long to wait before the next call."""


def plan_link(office: Office, asked: Asked) -> Plan:
    """What ``link`` would do. Raises ``CentreError``, and ``RequestError`` for what cannot be."""
    url = centre_url(asked.url)
    known = centre_named(office.state, asked.name)
    _demand_same(asked, url, known)
    rules = hasty(office, asked.name)
    central = office.reach(asked.name, url, _credential(office, asked), rules)
    try:
        greeting = central.greet()
        who, accounts, account_id = _account(central, asked, known)
        _demand_new(office.state, asked, url, account_id)
        mine = ours_for(office, rules, asked.scopes, known)
        centre_id = 0 if known is None else known[0]
        preview = Preview(office.state, central, centre_id, account_id, mine, asked.same_name)
        steps, notes = preview.steps(), preview.notes()
    finally:
        central.close()
    if url.startswith("http:") and urlsplit(url).hostname not in _LOCAL:
        notes = (*notes, f"{url} is not encrypted: password and values can be read on the way")
    return Plan(asked.name, url, greeting, who, accounts, account_id, steps, notes)


def link(office: Office, asked: Asked, who: str) -> Progress:
    """Do some of it, a handful of requests; to be called until nothing is left.

    Cut anywhere it goes on with the next call. ``who``: for the audit trail. Raises as
    ``plan_link``, and ``StoreError``.
    """
    with office.turn():
        return _link(office, asked, who)


def _link(office: Office, asked: Asked, who: str) -> Progress:
    url, rules = centre_url(asked.url), hasty(office, asked.name)
    known = centre_named(office.state, asked.name)
    _demand_same(asked, url, known)
    if known is None or asked.key is not None:
        known = _introduced(office, asked, url, who)
    number, centre = known
    if centre.scopes != list(asked.scopes) or centre.details.get("complete"):
        centre = begin_anew(office.state, number, asked.scopes)
    mine = ours_for(office, rules, asked.scopes, (number, centre))
    central = office.reach(asked.name, url, office.keys(asked.name), rules)
    joining = Joining(office.state, central, number, mine, asked.same_name, office.now())
    wait_s = 0.0
    try:
        joining.go_on()
    except CentreAway as error:
        wait_s = pause(error)
    finally:
        central.close()
    left = joining.left()
    if not left and not joining.undecided:
        joining.complete()
    return Progress(
        asked.name, tuple(joining.done), left, dict(joining.refused), tuple(joining.undecided),
        wait_s,
    )  # fmt: skip


def centre_named(state: State, name: str) -> tuple[int, Centre] | None:
    """A centre with its number; None where there is none of that name."""
    return next(iter(state.centres.find(name=name).items()), None)


def ours_for(
    office: Office,
    rules: CentreRules,
    scopes: tuple[Scope, ...],
    known: tuple[int, Centre] | None,
) -> Ours:
    """What is to be in step with a centre."""
    received = (
        () if known is None
        else {one.local_id for one in office.state.links.find(centre_id=known[0], role=RECEIVED).values()}  # noqa: E501
    )  # fmt: skip
    return ours(office.state, rules, scopes, office.kinds(), received)


def _demand_same(asked: Asked, url: str, known: tuple[int, Centre] | None) -> None:
    """Refuse to turn what is linked into something else."""
    if known is None:
        return
    _, centre = known
    if centre.url != url:
        raise RequestError(
            409,
            f"{asked.name} is linked with {centre.url}: unlink it first, or give the other one"
            " another name.",
        )
    if asked.account_id not in (None, centre.account_id):
        raise RequestError(
            409, f"{asked.name} is linked with account {centre.account_id}: unlink it first."
        )


def _demand_new(state: State, asked: Asked, url: str, account_id: int) -> None:
    """Refuse to send the same to one place twice."""
    for one in state.centres.find(url=url, account_id=account_id).values():
        if one.name != asked.name:
            raise RequestError(
                409, f"That account of {url} is linked already, as {one.name}: unlink it first."
            )


def _credential(office: Office, asked: Asked) -> Keys:
    if asked.key is not None:
        return _Held(asked.key)
    return office.keys(asked.name)


def _account(
    central: Central, asked: Asked, known: tuple[int, Centre] | None
) -> tuple[Whoami, Mapping[int, str], int]:
    who = central.whoami()
    try:
        accounts = dict(central.accounts())
    except CentreRefused:  # who may not list them has one
        accounts = {}
    accounts.setdefault(who.account_id, who.account)
    account_id = asked.account_id or (who.account_id if known is None else known[1].account_id)
    if account_id not in accounts:
        told = ", ".join(f"{number} ({name})" for number, name in sorted(accounts.items()))
        raise RequestError(
            422, f"There is no account {account_id} for {who.email}; there are {told}."
        )
    return who, accounts, account_id


def _introduced(office: Office, asked: Asked, url: str, who: str) -> tuple[int, Centre]:
    """Log in, keep the credential, and know the centre from now on."""
    state, known = office.state, centre_named(office.state, asked.name)
    keys = _credential(office, asked)
    central = office.reach(asked.name, url, keys, hasty(office, asked.name))
    try:
        greeting = central.greet()
        me, accounts, account_id = _account(central, asked, known)
        _demand_new(state, asked, url, account_id)
    finally:
        central.close()
    if asked.key is not None:
        office.keys(asked.name).write(keys.read())
    details = {"version": greeting.version, "server": greeting.server}
    if known is not None:
        number, old = known
        made = replace(old, user=me.email, details={**old.details, **details})
        state.centres.change(number, made)
        what = f"Gave centre {asked.name} another credential"
    else:
        made = Centre(
            asked.name, url, account_id, accounts[account_id], me.email, office.now(),
            list(asked.scopes), details,
        )  # fmt: skip
        number = state.centres.add(made)
        what = f"Linked with centre {asked.name}"
    after = {"url": url, "account": account_id, "user": me.email, "scopes": list(asked.scopes)}
    account = site_account(state)
    state.audit.add(Entry(office.now(), who, what, after=after, account_id=account))
    return number, made


class _Held:
    """A credential that is not kept anywhere yet."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def read(self) -> Key:
        """The credential."""
        return self._key

    def write(self, key: Key) -> None:
        """Have another token."""
        self._key = key

    def forget(self) -> None:
        """Have none."""
        self._key = Key()
