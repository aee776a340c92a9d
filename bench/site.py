"""The demo's site as a process of its own, for benches that need devices on sockets."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from flexedge.demo.report import Ready


@contextlib.contextmanager
def running_site(*arguments: str) -> Iterator[Ready]:
    """A site that has said where it listens; ended on leaving."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flexedge.demo.site", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if process.stdout is None:
        raise RuntimeError("the site has no stdout")
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the site did not come up")
        yield Ready.model_validate_json(line)
    finally:
        process.communicate(timeout=20)  # closes its stdin, which ends it
