"""flexedge check: everything that is wrong with a site file, at once."""

import argparse
import sys

from flexedge.cli.output import print_json
from flexedge.config.check import LoadedSite, load_site
from flexedge.errors import ConfigError

EX_CONFIG = 78


def run(options: argparse.Namespace) -> int:
    """Print every problem with its line; exit code 78 when there is one."""
    try:
        loaded = load_site(options.file, tuple(options.profiles))
    except ConfigError as error:
        _print_problems(options, error)
        return EX_CONFIG
    _print_good(options, loaded)
    return 0


def _print_problems(options: argparse.Namespace, error: ConfigError) -> None:
    if options.json:
        problems = [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
            for p in error.problems
        ]
        print_json({"ok": False, "problems": problems})
        return
    for problem in error.problems:
        print(problem, file=sys.stderr)
    count = len(error.problems)
    print(f"{count} problem{'s' if count > 1 else ''} found", file=sys.stderr)


def _print_good(options: argparse.Namespace, loaded: LoadedSite) -> None:
    devices, assets = len(loaded.site.devices), len(loaded.site.assets)
    if options.json:
        print_json({"ok": True, "devices": devices, "assets": assets, "problems": []})
        return
    print(f"{options.file}: good ({devices} devices, {assets} assets)")
