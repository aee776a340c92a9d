"""The example programs that come with FlexMeasures' client, run against ``flexedge serve``.

``python -m tests.api.examples [FOLDER]``: FOLDER holds the client's source (its ``examples``); left
out, it is fetched with pip. Only what each program says is for its user to fill in is filled in.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.api.served import ADMIN, PASSWORD, USER, Served

CLIENT = "flexmeasures-client==0.9.6"
_PATIENCE_S = 1800


def fetched(folder: Path) -> Path:
    """The source of the client, as it was released."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    subprocess.run(
        [*pip, "--no-deps", "--no-binary", ":all:", "--dest", folder, CLIENT], check=True
    )
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def fill_in(file: Path, **settings: str | int) -> None:
    """Give a program's settings other values."""
    text = file.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, found = re.subn(rf"(?m)^{name} = [^#\n]*", f"{name} = {value!r}  ", text)
        assert found == 1, f"{file.name} has no setting {name}"
    file.write_text(text, encoding="utf-8")


def replace(file: Path, old: str, new: str) -> None:
    """Give a program without a setting for it another value."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has no {old}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(program: Path, where: Path, typed: str = "") -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(
        [sys.executable, program], cwd=where, input=typed, text=True, timeout=_PATIENCE_S,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    sys.stdout.write(f"--- {program.name}: exit code {done.returncode}\n{done.stdout}\n")
    assert done.returncode == 0, program.name
    return done.stdout


def main() -> None:
    """Run all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else fetched(folder)
        examples = folder / "programs" / "examples"
        shutil.copytree(source / "examples", examples)
        with Served(folder / "data").people() as served:
            _all(examples, served)


WITHOUT_REPORTS = '''

async def run_report(*_what, **_how):
    """Reports over HTTP come with FlexMeasures 1.1; the client refuses to ask 1.0.1 for one."""
    return True
'''


def _all(examples: Path, served: Served) -> None:
    hems = examples / "HEMS"
    with (hems / "utils" / "reporter_utils.py").open("a", encoding="utf-8") as file:
        file.write(WITHOUT_REPORTS)
    fill_in(hems / "const.py", usr=USER, pwd=PASSWORD, host=served.host)
    told = run(hems / "HEMS_setup.py", hems)
    assert "failed" not in told.lower(), "a phase failed"
    fill_in(examples / "sensor_data_upload.py", usr=ADMIN, pwd=PASSWORD, host=served.host)
    told = run(examples / "sensor_data_upload.py", examples.parent)
    assert told.count("File uploaded: ") == 2, "a file was not taken"
    send, update = examples / "send_data_to_asset.py", examples / "update_flex_model.py"
    for program in (send, update):
        fill_in(program, usr=USER, pwd=PASSWORD)
        replace(program, "password=pwd)", f"password=pwd, host={served.host!r})")
    replace(send, "account_id=2", "account_id=1")
    made = re.search(r"Asset ID: (\d+)", run(send, examples.parent))
    assert made is not None
    fill_in(update, asset_id=int(made[1]))
    assert "1001 kWh" in run(update, examples.parent)
    run(hems / "HEMS_cleanup.py", hems, typed="yes\n" * 10)


if __name__ == "__main__":
    main()
