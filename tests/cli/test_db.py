import json
import os
from pathlib import Path

import pytest

from flexedge.cli.main import main
from flexedge.store.lock import hold
from flexedge.store.state import State
from tests.store.keeping import fill
from tests.store.local.damaging import files, spoil


@pytest.fixture
def data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEXEDGE_DATA_DIR", str(folder / "data"))
    fill(folder / "data")
    return folder / "data"


@pytest.mark.parametrize("deep", [[], ["--deep"]])
def test_all_is_sound(data: Path, deep: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "check", *deep]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(" MB: sound\n")
    assert printed.startswith(f"{len(list(data.rglob('*.parquet')))} partitions, ")


def test_from_an_alarm_to_a_sound_folder(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sums, read = files(data, "minutes")[0], files(data, "readings")[0]
    spoil(sums)
    assert main(["db", "check"]) == 0  # its size and ends are right
    capsys.readouterr()
    assert main(["db", "check", "--deep"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        f"! history/minutes/{sums.name} does not fit its checksum; 'flexedge db repair' sets it"
        " aside and sums it up again from readings"
    )
    assert main(["db", "repair"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"minutes/{sums.name} does not fit its checksum; kept as quara")
    assert printed[-1].endswith(": sound")
    assert main(["db", "repair"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "nothing had to be done"
    read.unlink()
    assert main(["db", "check", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["findings"][0]["remedy"]) == (False, "lost")
    assert report["findings"][0]["file"] == f"history/readings/{read.name}"


def test_while_a_gateway_runs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(files(data, "hours")[0])
    with hold(data):
        assert main(["db", "check", "--deep"]) == 1
        assert main(["db", "stats"]) == 0
        assert main(["db", "export", "--sensor", "price", str(data.parent / "a.csv")]) == 0
        capsys.readouterr()
        for what in (["repair"], ["migrate"], ["import", "--sensor", "price", "x.csv"]):
            assert main(["db", *what]) == 75
            told = capsys.readouterr().err
            assert f"is in use by another flexedge (process {os.getpid()})" in told
            assert "sudo systemctl stop flexedge" in told
    assert list((data / "temp").iterdir()) == []
    assert not (data / "quarantine").exists()


@pytest.mark.usefixtures("data")
def test_out_and_in_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "power.csv"
    out = ["db", "export", "--sensor", "battery.power", "--start", "1970-01-01T00:30:00Z"]
    assert main([*out, "--end", "1970-01-01T00:31:00Z", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: 6 rows of battery.power\n"
    text = file.read_text(encoding="utf-8")
    assert text.splitlines()[:2] == [
        "event_start,value [kW],quality",
        "1970-01-01T00:30:00Z,225.0,good",
    ]
    file.write_text(text.replace("225.0", "1.5"), encoding="utf-8")
    assert main(["db", "import", "--sensor", "battery.power", str(file)]) == 0
    assert capsys.readouterr().out == (
        "1 rows stored (1 in the place of others), 5 were there already, 0 were left out\n"
    )
    assert main(["db", "import", "--sensor", "battery.power", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["known"] == 6
    assert main([*out, str(file)]) == 69  # it is there already
    assert "choose another name" in capsys.readouterr().err


def test_a_bad_row_is_named(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.exists()
    file = tmp_path / "p.csv"
    file.write_text(
        "event_start,value\n2026-01-01T00:00Z,1\n2026-01-01 00:15,2\n", encoding="utf-8"
    )
    assert main(["db", "import", "--sensor", "battery.power", str(file)]) == 1
    printed = capsys.readouterr().out.splitlines()
    why = "line 3 has the event_start '2026-01-01 00:15' without a zone; end it with Z or +02:00"
    assert printed == [
        f"{file}: {why}",
        "nothing was stored: 1 of 2 rows are bad; mend them, or leave them out with --skip-bad",
    ]
    assert main(["db", "import", "--skip-bad", "--sensor", "battery.power", str(file)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 rows stored (0 in")
    assert main(["db", "import", "--sensor", "battery.pwr", str(file)]) == 69
    assert "there are battery.power" in capsys.readouterr().err


def test_stats(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data.exists()
    assert main(["db", "stats"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert (
        "journal: 362 rows wait for the next hour's files, 0 readings for the right time" in lines
    )
    assert "battery.power 1080 0 1970-01-01T00:00:00Z 1970-01-01T02:59:50Z" in lines
    assert "price 0 6 1970-01-01T00:00:00Z 1970-01-01T02:00:00Z" in lines
    assert any(line.startswith("disk: ") and "full, as things go now: " in line for line in lines)
    assert main(["db", "stats", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["disk"]["used"] < told["disk"]["size"]
    kinds = told["kinds"]
    assert [(one["kind"], one["rows"]) for one in kinds[:2]] == [("readings", 720), ("beliefs", 4)]


def test_migrate_there_and_back(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "migrate", "--to", "0001"]) == 0
    assert "revision 0006 to 0001; as it was: backup/state-000001-" in capsys.readouterr().out
    assert main(["db", "migrate"]) == 0
    assert main(["db", "migrate", "--to", "0099"]) == 69
    state = State(data / "state.db")
    assert state.fact("nothing") is None
    state.close()
