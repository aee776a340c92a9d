"""For the tests of the whole API over HTTP."""

from collections.abc import Iterator

import pytest

from tests.api.platform import Platform, platform


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One server for all tests of a module."""
    with platform(tmp_path_factory.mktemp("platform")) as running:
        yield running
