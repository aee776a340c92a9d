from collections.abc import Iterator

import pytest

from flexedge.daemon.ending import Ending


@pytest.fixture
def ending() -> Iterator[Ending]:
    """Of a run that signals end, too."""
    with Ending() as ending:
        ending.on_signals()
        yield ending
