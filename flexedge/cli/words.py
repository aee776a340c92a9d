"""What can be typed about central servers."""

import argparse
from pathlib import Path


def add_link(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """``flexedge link`` and ``flexedge unlink``, but for what all commands have."""
    link = commands.add_parser(
        "link", help="link this gateway with a central FlexMeasures server, or another flexedge",
        description="Asks for e-mail and password, shows what would be made there, asks, and makes"
        " it. Cut off anywhere, the same command goes on. The gateway must run.",
        allow_abbrev=False,  # --password is no --password-file
    )  # fmt: skip
    link.add_argument("url", metavar="URL", help="as https://ems.example.com")
    link.add_argument("--name", default="main", help="what it is called here (default main)")
    link.add_argument("--account", help="whose the assets there shall be, by number or name")
    link.add_argument("--email", help="with which to log in there")
    link.add_argument(
        "--password-file", type=Path, metavar="FILE",
        help="the password is its first line (default: asked for)",
    )  # fmt: skip
    link.add_argument(
        "--token-file", type=Path, metavar="FILE",
        help="a token is its first line, instead of a password",
    )  # fmt: skip
    link.add_argument(
        "--scopes", metavar="WORDS",
        help="what goes there and may come from there, with commas (default: all that the site"
        " file allows): readings, forecasts, schedules, outcomes, annotations, health, data,"
        " edits, commands, plans",
    )  # fmt: skip
    same = link.add_mutually_exclusive_group()
    for word, told in (
        ("adopt", "take what has the names there as ours, unless it is another gateway's"),
        ("take-over", "take it even if it is another gateway's, as after a change of hardware"),
        ("beside", "make ours beside it, under other names"),
    ):
        same.add_argument(
            f"--{word}", dest="same_name", action="store_const", const=word, help=told
        )
    link.add_argument("--dry-run", action="store_true", help="only show what would be made")
    link.add_argument("--yes", action="store_true", help="do not ask")
    link.set_defaults(module="flexedge.cli.link", what="link")
    unlink = commands.add_parser(
        "unlink", help="forget a central server; what was made there stays",
    )  # fmt: skip
    unlink.add_argument("name", nargs="?", default="main", help="default main")
    unlink.add_argument(
        "--delete-there", action="store_true",
        help="delete what was made there, with all its data",
    )  # fmt: skip
    unlink.add_argument("--yes", action="store_true", help="do not ask")
    unlink.set_defaults(module="flexedge.cli.link", what="unlink")
