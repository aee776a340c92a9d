"""A process that sends what waits in a folder, until somebody kills it or nothing is left."""

import sys
from pathlib import Path

from tests.api.served import Served
from tests.gateway.sync.both import both


def main(folder: str, server: str, url: str) -> None:
    """``server``: where tokens come from; ``url``: where values go."""
    served = Served(Path(folder))
    served.url = server
    with both(Path(folder), served, url) as here:
        here.most, here.live = 20, 20
        here.begin()
        here.settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
