"""The shape of the house: tests mirror the tree, files stay small, names have a meaning."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "flexedge").rglob("*.py"))
BANNED = {"manager", "helper", "helpers", "utils", "util", "common", "base", "misc"}
LONGEST = 350
MORE = {
    "tests/web/api/test_matrix.py": "who may do what, of all operations and routes",
    "tests/test_shape.py": "the shape itself",
    "tests/test_contracts.py": "the import contracts",
    "tests/api/test_everything.py": "what holds for every operation of the API, over HTTP",
    "tests/api/test_schemathesis.py": "the server against its own OpenAPI document",
    "tests/optim/test_checker.py": "the independent checker, on solved cases and planted faults",
    "tests/optim/test_economics.py": "further fields against all that could be done instead",
    "tests/optim/test_golden.py": "the whole of optim against FlexMeasures' own results",
    "tests/optim/test_properties.py": "the whole of optim on random requests",
    "tests/optim/test_scheduling.py": "the examples of docs/scheduling.md",
    "tests/drivers/modbus/test_catalogue.py": "every shipped profile through its driver",
    "tests/drivers/mqtt/test_catalogue.py": "every shipped profile through its driver",
    "tests/web/test_linked_page.py": "the pages of a linked gateway, in a browser",
    "tests/web/test_page.py": "templates and scripts, in a browser",
    "tests/fleet/test_scenarios.py": "the fleet that docs/centre/fleet.md tells of",
    "tests/store/test_timely.py": "what archives answer, against timely-beliefs",
    "tests/store/local/test_wear.py": "what the whole archive writes in a day",
    "tests/torture/test_judge.py": "whether the judge of the crash laboratory sees what is wrong",
    "tests/torture/test_power.py": "the simulated disk of the crash laboratory",
    "tests/torture/test_slices.py": "a slice of each kind of torture",
    "tests/api/test_client.py": "FlexMeasures' own client against what is served",
    "tests/api/test_toy.py": "FlexMeasures' toy account, planned by its client",
    "tests/api/test_exchanges.py": "recorded exchanges with FlexMeasures, played anew",
    "tests/gateway/test_promises.py": "the promises that take the whole gateway",
}
"""Tests that are about more, or something else, than one module."""


def mirrored(source: Path) -> Path:
    relative = source.relative_to(ROOT / "flexedge")
    return ROOT / "tests" / relative.with_name(f"test_{relative.name}")


def needs_a_test(source: Path) -> bool:
    return source.name not in ("__init__.py", "__main__.py")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_its_test(source: Path) -> None:
    if needs_a_test(source):
        assert mirrored(source).is_file(), f"write {mirrored(source).relative_to(ROOT)}"


def test_every_test_has_its_module() -> None:
    known = {str(mirrored(source).relative_to(ROOT)) for source in SOURCES} | MORE.keys()
    tests = {str(test.relative_to(ROOT)) for test in (ROOT / "tests").rglob("test_*.py")}
    assert tests - known == set()
    assert MORE.keys() - tests == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small_and_named_for_what_they_are(source: Path) -> None:
    assert source.stem not in BANNED
    assert len(source.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_the_lock_file_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index" not in lock
    assert "--hash=sha256:" in lock
