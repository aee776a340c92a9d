from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.sync.linked import Here, There, centre


@pytest.fixture(scope="session")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    with centre(tmp_path_factory.mktemp("centre")) as found:
        yield found


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)
