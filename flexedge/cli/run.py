"""flexedge run."""

import argparse
import os

from flexedge.config.settings import load_settings
from flexedge.daemon import run as daemon


def run(options: argparse.Namespace) -> int:
    """Run the gateway until it is told to stop."""
    return daemon.main(load_settings(options.settings, os.environ))
