"""flexedge show accounts | users | tokens."""

import argparse
from typing import Any

from flexedge.cli.output import print_json, table
from flexedge.cli.people import ROOT, asked

_HEADS = {
    "accounts": ("id", "name", "roles", "consultancy", "plan"),
    "users": ("id", "name", "email", "account", "roles", "active", "last login"),
    "tokens": ("id", "name", "user", "scopes", "expires", "last used"),
}


def run(options: argparse.Namespace) -> int:
    """Show all of a kind."""
    query = {"include_inactive": "true"} if options.what == "users" else None
    with asked(options) as gateway:
        rows = gateway.send("GET", f"{ROOT}/{options.what}", query)
    if options.json:
        print_json(rows)
    else:
        print(table(_HEADS[options.what], [_cells(options.what, row) for row in rows]))
    return 0


def _cells(what: str, row: dict[str, Any]) -> tuple[object, ...]:
    match what:
        case "accounts":
            roles = ", ".join(role["name"] for role in row["account_roles"])
            return row["id"], row["name"], roles, row["consultancy_account_id"], row["plan_id"]
        case "users":
            roles = ", ".join(row["flexmeasures_roles"])
            return (
                row["id"], row["username"], row["email"], row["account"]["name"], roles,
                row["active"], row["last_login_at"],
            )  # fmt: skip
        case _:
            return (
                row["id"], row["name"], row["user"], ", ".join(row["scopes"]),
                row["expires"] or "never", row["last_used"],
            )  # fmt: skip
