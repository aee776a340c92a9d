"""flexedge demo."""

import argparse

from flexedge.demo import run as demo


def run(options: argparse.Namespace) -> int:
    """Run the gateway on a simulated site."""
    return demo.main(options)
