from pathlib import Path

import pytest

from flexedge.web.api.parts import Parts
from flexedge.web.api.public import listed, operations
from tests.web.api.conftest import Serve, Served


@pytest.fixture
def served(serve: Serve, parts: Parts) -> Served:
    return serve(*operations(parts, ()))


def test_versions_are_told_as_recorded(served: Served) -> None:
    answer = served.ask("GET", "/api/", None)
    assert answer.json() == {
        "flexmeasures_version": "1.0.1",
        "message": "For these API versions a public endpoint is available, listing its service. "
        "For example: /api/v3_0. An authentication token can be requested at: "
        "/api/requestAuthToken",
        "status": 200,
        "versions": ["v3_0"],
    }
    assert "API-Version" not in answer.headers
    assert answer.headers["FlexMeasures-Version"] == "1.0.1"


def test_services_are_listed_with_where_they_are(served: Served, parts: Parts) -> None:
    told = served.ask("GET", "/api/v3_0", None).json()
    assert (told["status"], told["version"]) == ("PROCESSED", "3.0")
    ready = {
        "url": f"{served.url}/api/v3_0/health/ready",
        "name": "GET /health/ready",
        "description": "Tell whether requests can be answered",
    }
    assert ready in told["services"]
    assert [one.name for one in listed(operations(parts, ()), "").services] == [
        "GET ", "GET /health/ready"
    ]  # fmt: skip


def test_readiness_is_that_of_the_store(served: Served, parts: Parts, tmp_path: Path) -> None:
    answer = served.ask("GET", "/api/v3_0/health/ready", None)
    assert (answer.status_code, answer.json()) == (200, {"database_sql": True, "status": 200})
    parts.state.close()
    (tmp_path / "state.db").write_bytes(b"no database at all" * 1000)
    answer = served.ask("GET", "/api/v3_0/health/ready", None)
    assert (answer.status_code, answer.json()) == (503, {"database_sql": False, "status": 503})
