"""flexedge serve."""

import argparse
import os

from flexedge.config.settings import load_settings
from flexedge.daemon import serve


def run(options: argparse.Namespace) -> int:
    """Serve API, store and planner, without a site, until told to stop."""
    return serve.main(load_settings(options.settings, os.environ))
