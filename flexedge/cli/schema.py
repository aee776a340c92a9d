"""flexedge config schema."""

import argparse

from flexedge.cli.output import print_json
from flexedge.config import schema


def run(options: argparse.Namespace) -> int:
    """Print the JSON schema of one kind of file."""
    made = {
        "site": schema.site_schema,
        "profile": schema.profile_schema,
        "settings": schema.settings_schema,
    }
    print_json(made[options.of]())
    return 0
