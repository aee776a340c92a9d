"""One server for the whole story: it takes a minute to start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.interop.centre import OPERATOR, PASSWORD, Centre, User
from hil.interop.story import House, Market


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A FlexMeasures server. Sites live faster than the wall clock: nobody counts requests."""
    made = Centre(tmp_path_factory.mktemp("centre"), ingestion=False)
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that nobody has linked yet, and somebody who works at the centre."""
    yield from house_at(centre, tmp_path_factory.mktemp("house"))


def house_at(centre: Centre, folder: Path) -> Iterator[House]:
    """One; who works at the centre goes with it."""
    operator = User(centre, OPERATOR, PASSWORD)
    yield House(folder, centre, Market.at(operator))
    operator.close()
