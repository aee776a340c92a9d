import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flexedge.errors import StoreError, StoreLocked
from flexedge.store.lock import hold
from tests.store.local.loop_disk import LoopDisk

_HOLD = """
import sys
from pathlib import Path
from flexedge.store.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_told_who_has_it(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(StoreLocked) as caught, hold(tmp_path):
        pass
    mine = f"another flexedge (process {os.getpid()})"
    assert str(caught.value) == f"{tmp_path} is in use by {mine}"
    with hold(tmp_path):  # given back
        pass


def test_being_refused_does_not_free_it(tmp_path: Path) -> None:
    with hold(tmp_path):
        for _ in range(2):
            with pytest.raises(StoreLocked), hold(tmp_path):
                pass


def test_it_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}"), hold(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with hold(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_forked_child_has_it_no_second_time(tmp_path: Path) -> None:
    with hold(tmp_path):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with hold(tmp_path):
                    code = 2
            except StoreLocked:
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_that_was_started_does_not_keep_it(tmp_path: Path) -> None:
    with hold(tmp_path):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    with hold(tmp_path):
        pass
    child.communicate()


def test_a_holder_that_told_nothing(tmp_path: Path) -> None:
    with hold(tmp_path):
        (tmp_path / "lock").write_text("")
        with pytest.raises(StoreLocked, match="in use by another process"), hold(tmp_path):
            pass


def test_a_full_disk_does_not_keep_anybody_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with hold(tmp_path), pytest.raises(StoreLocked, match="another process"), hold(tmp_path):
        pass


def test_what_fails_inside_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold(tmp_path):
        (tmp_path / "none").read_text()
    with hold(tmp_path):
        pass


def test_no_folder_or_a_link_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"), hold(tmp_path / "none"):
        pass
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="lock"), hold(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.disk
def test_on_a_disk_that_takes_no_writes_it_is_held_all_the_same(disk: LoopDisk) -> None:
    disk.unmount()
    disk.mount("ro")
    with hold(disk.folder):  # nobody can have it: there is no lock
        pass
    disk.unmount()
    disk.mount()
    with hold(disk.folder):
        pass
    disk.unmount()
    disk.mount("ro")
    with hold(disk.folder), pytest.raises(StoreLocked), hold(disk.folder):
        pass
    with hold(disk.folder):
        pass
