"""flexedge run."""

import argparse

from flexedge.config.settings import load_settings_here
from flexedge.daemon import run as daemon


def run(options: argparse.Namespace) -> int:
    """Run the gateway until it is told to stop."""
    return daemon.main(load_settings_here(options.settings))
