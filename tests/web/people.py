"""An account with a user, as tests of log-ins need them."""

from datetime import datetime

from flexedge.store.state import State
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.users import User
from flexedge.web.passwords import hashed

ANNA, PASSWORD = "anna@example.org", "seven tall birches"
NEW_PASSWORD = "eight small willows"  # noqa: S105
_HASH = hashed(PASSWORD)


def anna(state: State, now: datetime, *roles: str) -> int:
    """Anna, in an account of her own; her number."""
    account = state.accounts.add(Account("Birches", ["Consultancy"]))
    return state.users.add(
        User("Anna", account, now, email=ANNA, password_hash=_HASH, roles=list(roles))
    )
