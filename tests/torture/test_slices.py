"""A short slice of each kind of torture; ``python -m tests.torture`` is the whole."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.torture.explore import Outcome, explore, record
from tests.torture.library import QUICK
from tests.torture.plan import Kind, Plan
from tests.torture.power import MODELS, Model
from tests.torture.trace import Event, Forgotten, forgetting

pytestmark = pytest.mark.torture
SEED = int(os.environ.get("TORTURE_SEED", "1"))
PLAN = Plan(SEED, 300, timedelta(minutes=10))
NUMBERS: tuple[Kind, ...] = (
    "forecast", "send", "reopen", "readings", "import", "send", "import", "maintain",
    "forecast", "send", "remember", "send", "delete-source", "remember", "reopen", "forecast",
    "send", "forecast",
)  # fmt: skip
"""The newest number goes with the rows of it: those of step 8 are deleted by step 12."""


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with TemporaryDirectory(dir=QUICK, prefix="torture-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def trace(scratch: Path) -> Sequence[Event]:
    return record(PLAN, scratch)


def explored(trace: Sequence[Event], scratch: Path, model: Model, n: int, what: Forgotten) -> Outcome:  # fmt: skip  # noqa: E501
    return explore(PLAN, list(forgetting(iter(trace), what)), model, n, scratch)


@pytest.mark.parametrize("model", MODELS)
def test_no_power_cut_takes_what_was_acknowledged(
    trace: Sequence[Event], scratch: Path, model: Model
) -> None:
    outcome = explored(trace, scratch, model, 200, "nothing")
    assert outcome.states >= 150
    assert outcome.findings == [], outcome.told()


@pytest.mark.parametrize("model", MODELS)
def test_no_power_cut_gives_a_number_twice_or_a_centre_too_little(
    scratch: Path, model: Model
) -> None:
    plan = Plan(SEED, len(NUMBERS), timedelta(minutes=10), NUMBERS)
    outcome = explore(plan, record(plan, scratch), model, 70, scratch)
    assert outcome.states >= 50
    assert outcome.findings == [], outcome.told()


@pytest.mark.parametrize("model", MODELS)
def test_without_full_it_would(trace: Sequence[Event], scratch: Path, model: Model) -> None:
    outcome = explored(trace, scratch, model, 60, "logs")
    assert outcome.kinds["LOST"] >= 10, outcome.told()


def test_without_syncs_of_folders_it_would(trace: Sequence[Event], scratch: Path) -> None:
    outcome = explored(trace, scratch, "harsh", 60, "folders")
    assert outcome.kinds["LOST"] >= 3, outcome.told()
    assert any("partitions are gone" in one.fault for one in outcome.findings)


def ran(program: str, *words: str) -> str:
    """What a program of the laboratory printed; it found nothing."""
    command = [sys.executable, "-m", f"tests.torture.{program}", "--seed", str(SEED), *words]
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def steps(printed: str) -> int:
    found = re.search(r"while (\d+) steps were acknowledged", printed)
    assert found is not None, printed
    return int(found[1])


def test_no_kill_does() -> None:
    printed = ran("kills", "--steps", "300", "--minutes", "10", "--kills", "30")
    assert "30 sound" in printed
    assert steps(printed) > 30


def test_no_power_cut_of_the_kernel_does() -> None:
    assert "8, 0 lost" in ran("cuts", "--control", "--cuts", "8")
    printed = ran("cuts", "--steps", "300", "--minutes", "10", "--cuts", "15")
    assert "15 sound" in printed
    assert steps(printed) > 15


def test_whatever_call_fails_the_store_gets_over_it() -> None:
    printed = ran("faults", "--sample", "48")
    counts = re.findall(r"(\d+) (?:full|error|read-only|short): sound", printed)
    assert sum(map(int, counts)) == 48, printed


def test_bits_rot_and_it_is_told() -> None:
    printed = ran("rot", "--each", "4")
    assert re.search(r"readings: .*told, missing", printed)
