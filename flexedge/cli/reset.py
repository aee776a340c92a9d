"""flexedge factory-reset: the gateway as it came out of the box."""

import argparse
import os
import sys

from flexedge.config.check import load_site
from flexedge.config.settings import Settings, load_settings
from flexedge.store.owner import acting_as_owner
from flexedge.store.reset import factory_reset


def run(options: argparse.Namespace) -> int:
    """Delete what the gateway keeps, once somebody has typed the site's name; else exit code 1."""
    settings = load_settings(options.settings, os.environ)
    folder = settings.whole_folder()
    if not options.yes and not _meant(settings):
        print("nothing was deleted", file=sys.stderr)
        return 1
    with acting_as_owner(folder):
        factory_reset(folder)
    print(f"{folder} is empty; 'flexedge run' starts without an owner, on the same site")
    return 0


def _meant(settings: Settings) -> bool:
    name = load_site(settings.site, settings.profile_dirs).site.site.name
    print(
        f"This deletes the owner, the state, all readings and plans, and the snapshots in"
        f" {settings.data_dir}, for good. The site file stays."
    )
    try:
        return input(f"Type the name of the site, {name}, to go on: ") == name
    except EOFError:
        return False
