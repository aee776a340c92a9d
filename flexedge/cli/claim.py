"""flexedge claim: the code by which an owner makes the gateway theirs."""

import argparse
import os
import sys

from flexedge.cli.client import client
from flexedge.cli.output import print_json
from flexedge.config.settings import load_settings


def run(options: argparse.Namespace) -> int:
    """Print the claim code, or a link that opens the page; exit code 1 if it is claimed."""
    if options.link:
        url = client(options).post("/api/tickets")["url"]
        print_json({"url": url}) if options.json else print(url)
        return 0
    path = load_settings(options.settings, os.environ).data_dir / "claim-code"
    try:
        code = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        print("there is no code: the gateway has an owner, or was never started", file=sys.stderr)
        return 1
    except PermissionError:
        print(f"{path} may only be read by its owner; try with sudo", file=sys.stderr)
        return 1
    print_json({"code": code}) if options.json else print(code)
    return 0
