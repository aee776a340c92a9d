"""flexedge demo."""

import argparse

from flexedge.demo import run as demo
from flexedge.demo.options import Options


def run(options: argparse.Namespace) -> int:
    """Run the gateway on a simulated site."""
    return demo.main(
        Options(
            speed=options.speed,
            days=options.days,
            seed=options.seed,
            json=options.json,
            port=options.port,
            start=options.start,
            faults=tuple(options.fault),
            folder=options.folder,
            keep=options.keep,
        )
    )
