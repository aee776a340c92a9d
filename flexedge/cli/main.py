"""The command line: what can be typed. Heavy imports happen inside the commands."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from flexedge import __version__
from flexedge.cli.words import add_link
from flexedge.errors import ConfigError, FlexedgeError, StoreLocked

# Exit codes as in sysexits.h, so that service managers and scripts can tell.
EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_CONFIG = 64, 69, 75, 78


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flexedge",
        description="Edge gateway for on-premise energy devices: polls, plans, dispatches.",
    )
    parser.add_argument("--version", action="version", version=f"flexedge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_demo(commands)
    _add_config(commands)
    _add_solve(commands)
    _add_client(commands)
    _add_sync(commands)
    _add_data(commands)
    _add_db(commands)
    _add_people(commands)
    add_link(commands)
    for name in ("link", "unlink"):
        _settings_argument(commands.choices[name])
        _json_argument(commands.choices[name])
    return parser


def _settings_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings", type=Path, metavar="FILE",
        help="settings file (default: $FLEXEDGE_SETTINGS or /etc/flexedge/settings.yaml)",
    )  # fmt: skip


def _json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="run the gateway in the foreground")
    _settings_argument(run)
    run.set_defaults(module="flexedge.cli.run")
    serve = commands.add_parser(
        "serve", help="run API, store and planner in the foreground, without a site or devices"
    )
    _settings_argument(serve)
    serve.set_defaults(module="flexedge.cli.serve")


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="run the gateway on a simulated site")
    demo.add_argument(
        "--speed", type=float, default=1.0, metavar="N",
        help="let the site's clock run up to N times faster (default 1)",
    )  # fmt: skip
    demo.add_argument(
        "--days", type=float, metavar="D", help="end after D days of site time, with a result"
    )
    demo.add_argument("--seed", type=int, default=1, help="which weather, household and trips")
    demo.add_argument("--start", metavar="TIME", help="when the site's clock starts (ISO 8601)")
    demo.add_argument("--port", type=int, help="of the page (default: 8440, or any free one)")
    demo.add_argument(
        "--folder", type=Path, default=Path("var/demo"), help="for its files (default var/demo)"
    )
    demo.add_argument(
        "--fault", action="append", default=[], metavar="WHAT",
        help='break something on the way: "battery:stop@600+120", "meter:silence@60+30"',
    )  # fmt: skip
    demo.add_argument("--keep", action="store_true", help="go on with the data of the last run")
    _json_argument(demo)
    demo.set_defaults(module="flexedge.cli.demo")


def _add_solve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    solve = commands.add_parser(
        "solve", help="solve a scheduling problem out of a file: JSON in, JSON out"
    )
    solve.add_argument("file", metavar="FILE", help='the problem; "-" reads standard input')
    solve.add_argument(
        "--compat", choices=["flexmeasures-1.0"],
        help="scale penalties exactly as FlexMeasures 1.0 does",
    )  # fmt: skip
    solve.add_argument(
        "--time-limit", type=float, default=20.0, metavar="SECONDS",
        help="answer with the best plan found by then, a second later at most (default 20)",
    )  # fmt: skip
    solve.add_argument(
        "--no-explanation", action="store_true", help="leave out why the plan is as it is"
    )
    solve.set_defaults(module="flexedge.cli.solve")


def _add_config(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser("check", help="check a site file: every error, with its line")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument(
        "--profiles", type=Path, action="append", default=[], metavar="FOLDER",
        help="look for device profiles here, too",
    )  # fmt: skip
    _json_argument(check)
    check.set_defaults(module="flexedge.cli.check")
    config = commands.add_parser("config", help="about the files installers write")
    config_commands = config.add_subparsers(required=True, metavar="WHAT")
    schema = config_commands.add_parser("schema", help="print a JSON schema, for editors")
    schema.add_argument("of", nargs="?", choices=("site", "profile", "settings"), default="site")
    schema.set_defaults(module="flexedge.cli.schema")


def _add_client(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser("status", help="how the running gateway fares")
    _settings_argument(status)
    _json_argument(status)
    status.set_defaults(module="flexedge.cli.status")
    show = commands.add_parser("show", help="what the running gateway knows")
    kinds = show.add_subparsers(required=True, metavar="WHAT")
    beliefs = kinds.add_parser("beliefs", help="readings, forecasts and schedules of a sensor")
    beliefs.add_argument("sensor")
    beliefs.add_argument("--start", metavar="TIME", help="ISO 8601 (default: one hour ago)")
    beliefs.add_argument("--end", metavar="TIME", help="ISO 8601 (default: one hour ahead)")
    schedule = kinds.add_parser("schedule", help="the plan, step by step")
    schedule.add_argument("asset", nargs="?", help="only this asset")
    devices = kinds.add_parser("devices", help="every device, its points and their age")
    for name, parser in (("beliefs", beliefs), ("schedule", schedule), ("devices", devices)):
        _settings_argument(parser)
        _json_argument(parser)
        parser.set_defaults(module="flexedge.cli.show", what=name)
    for name in ("accounts", "users", "tokens"):
        shown = kinds.add_parser(name, help=f"all {name}, also while no gateway runs")
        _settings_argument(shown)
        _json_argument(shown)
        shown.set_defaults(module="flexedge.cli.show_people", what=name)
    claim = commands.add_parser("claim", help="print the code by which an owner claims the page")
    claim.add_argument(
        "--link", action="store_true", help="print a link that opens the page in one click"
    )
    _settings_argument(claim)
    _json_argument(claim)
    claim.set_defaults(module="flexedge.cli.claim")


def _add_sync(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sync = commands.add_parser("sync", help="how the gateway keeps in step with its centres")
    kinds = sync.add_subparsers(required=True, metavar="WHAT")
    status = kinds.add_parser("status", help="what is in step, what is to come, what is wrong")
    status.add_argument("--sensors", action="store_true", help="also sensors that are in step")
    now = kinds.add_parser("now", help="send and ask at once, whatever was waited for")
    now.add_argument("centre", nargs="?", metavar="CENTRE", help="as it is named (default: all)")
    veto = kinds.add_parser("veto", help="let nothing that centres ask for take effect here")
    veto.add_argument("say", choices=("on", "off"))
    for name, parser in (("status", status), ("now", now), ("veto", veto)):
        _settings_argument(parser)
        _json_argument(parser)
        parser.set_defaults(module="flexedge.cli.sync", what=name)
    rejected = kinds.add_parser("rejected", help="values that a centre did not take, and why")
    retry = kinds.add_parser("retry", help="try such values once more, or give them up")
    retry.add_argument("numbers", nargs="*", type=int, metavar="ID", help="as they are listed")
    retry.add_argument("--all", action="store_true", help="every one")
    retry.add_argument("--drop", action="store_true", help="give them up: they are never sent")
    for name, parser in (("rejected", rejected), ("retry", retry)):
        parser.add_argument("--centre", metavar="CENTRE", help="only of this one (default: all)")
        _settings_argument(parser)
        _json_argument(parser)
        parser.set_defaults(module="flexedge.cli.rejected", what=name)


def _add_data(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = commands.add_parser("backup", help="state and readings in one file")
    kinds = backup.add_subparsers(required=True, metavar="WHAT")
    create = kinds.add_parser("create", help="write a backup, also while the gateway runs")
    create.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="a new file (default: named by the time, in this folder)",
    )  # fmt: skip
    verify = kinds.add_parser("verify", help="read a whole backup and say whether it is good")
    restore = kinds.add_parser("restore", help="put a backup in place; the gateway must not run")
    restore.add_argument("--force", action="store_true", help="replace what is there")
    for name, parser in (("create", create), ("verify", verify), ("restore", restore)):
        if name != "create":
            parser.add_argument("file", type=Path, metavar="FILE")
        if name != "verify":
            _settings_argument(parser)
        _json_argument(parser)
        parser.set_defaults(module="flexedge.cli.backup", what=name)
    reset = commands.add_parser(
        "factory-reset", help="delete owner, state, readings and backups of the gateway"
    )
    reset.add_argument("--yes", action="store_true", help="do not ask for the site's name first")
    _settings_argument(reset)
    reset.set_defaults(module="flexedge.cli.reset")


def _add_db(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    db = commands.add_parser("db", help="what is kept: check, repair, export, import")
    kinds = db.add_subparsers(required=True, metavar="WHAT")
    check = kinds.add_parser("check", help="say what is sound and what is damaged, and what helps")
    check.add_argument(
        "--deep", action="store_true", help="compare every checksum and decode every row"
    )
    repair = kinds.add_parser(
        "repair", help="put right what can be; what is damaged is moved to quarantine/"
    )
    export = kinds.add_parser("export", help="write a sensor's rows into a CSV or Parquet file")
    export.add_argument("--start", metavar="TIME", help="ISO 8601 (default: all there is)")
    export.add_argument("--end", metavar="TIME", help="ISO 8601, not included (default: all)")
    export.add_argument(
        "--what", dest="what_rows", default="readings",
        choices=("readings", "beliefs", "minutes", "hours"),
        help="readings as they were polled (default), what sources believed, or sums",
    )  # fmt: skip
    export.add_argument("--format", choices=("csv", "parquet"), help="default: as FILE is called")
    load = kinds.add_parser("import", help="bring a CSV or Parquet file in: all of it or nothing")
    load.add_argument("--unit", help="of the values in the file (default: as its header says)")
    load.add_argument("--source", metavar="NAME", help="who believed it; the rows are beliefs then")
    load.add_argument("--skip-bad", action="store_true", help="leave bad rows out")
    stats = kinds.add_parser("stats", help="how much is kept of what, and since when")
    migrate = kinds.add_parser(
        "migrate", help="bring state.db to another revision of its tables",
        description="Before going back to an older flexedge: with this version, migrate to the"
        " revision that the older one knows (it names it when it refuses to start). What the older"
        " one has no place for is dropped; a snapshot is kept in backup/ first.",
    )  # fmt: skip
    migrate.add_argument("--to", metavar="REVISION", help="default: the newest there is")
    parsers = (("check", check), ("repair", repair), ("export", export), ("import", load),
               ("stats", stats), ("migrate", migrate))  # fmt: skip
    for name, parser in parsers:
        if parser in (export, load):
            parser.add_argument("--sensor", required=True, metavar="NAME")
            parser.add_argument("file", type=Path, metavar="FILE")
        if parser is not migrate:
            _json_argument(parser)
        _settings_argument(parser)
        parser.set_defaults(module="flexedge.cli.db", what=name)


def _add_people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser("add", help="make an account, a user or a token for programs")
    kinds = add.add_subparsers(required=True, metavar="WHAT")
    account = kinds.add_parser("account", help="who assets and users belong to")
    account.add_argument("name", nargs="?", metavar="NAME")
    account.add_argument("--name", dest="name_option", metavar="NAME")
    account.add_argument("--consultancy", "--consultancy-account", metavar="ACCOUNT",
                         help="whose consultants act for it, by number or name")  # fmt: skip
    account.add_argument("--plan", metavar="PLAN", help="what it may use, by number or name")
    account.add_argument("--primary-color", metavar="COLOR")
    account.add_argument("--secondary-color", metavar="COLOR")
    account.add_argument("--logo-url", metavar="URL")
    user = kinds.add_parser("user", help="somebody who can log in, or a service account")
    user.add_argument("--email", help="with which they log in; a service account has none")
    user.add_argument("--username", metavar="NAME", help="default: the e-mail address")
    user.add_argument("--account", "--account-id", required=True, help="by number or name")
    user.add_argument("--timezone", metavar="ZONE", help="as Europe/Amsterdam")
    user.add_argument(
        "--password-file", type=Path, metavar="FILE",
        help="the password is its first line (default: asked for, or standard input's first line)",
    )  # fmt: skip
    token = kinds.add_parser("token", help="what a program shows instead of a password")
    token.add_argument("--user", required=True, help="by number, e-mail address or name")
    token.add_argument("--name", required=True, help="what it is for")
    token.add_argument(
        "--scopes", default="read", help="with commas: read, data, plan, manage, control"
    )
    token.add_argument("--expires", default="90d", metavar="SPAN", help="90d, 12h, 8w or never")
    for parser in (account, user):
        parser.add_argument("--roles", action="append", default=[], help="with commas")
    delete = commands.add_parser("delete", help="delete an account, a user or a token")
    gone = delete.add_subparsers(required=True, metavar="WHAT")
    for name, what in (("account", "number or name"), ("user", "number, address or name"),
                       ("token", "number")):  # fmt: skip
        parser = gone.add_parser(name)
        parser.add_argument("which", metavar=name.upper(), help=what)
        parser.set_defaults(module="flexedge.cli.delete")
    for name, parser in (*kinds.choices.items(), *gone.choices.items()):
        _settings_argument(parser)
        _json_argument(parser)
        parser.set_defaults(what=name)
    for parser in kinds.choices.values():
        parser.set_defaults(module="flexedge.cli.add")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code."""
    options = _parser().parse_args(arguments)
    command = importlib.import_module(options.module)
    try:
        code = int(command.run(options))
        sys.stdout.flush()  # here, so that a reader that went away is noticed here
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except StoreLocked as error:
        print(f"flexedge: {error}", file=sys.stderr)
        return EX_TEMPFAIL
    except FlexedgeError as error:
        print(f"flexedge: {error}", file=sys.stderr)
        return EX_UNAVAILABLE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What is left to print goes nowhere, or Python complains about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
