"""A small disk of its own for a test: an ext4 image on a loop device. Needs root."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

_SHUTDOWN = 0x8004587D  # ext4's ioctl: from now on every write fails with EIO
_LOG_FLUSH = 1


class LoopDisk:
    """Mounted when made. ``folder`` is where."""

    def __init__(self, folder: Path, megabytes: int = 48) -> None:
        self.folder = folder / "mounted"
        self.folder.mkdir()
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", str(image))
        self._loop = _run("losetup", "--show", "-f", str(image)).strip()
        try:
            self.mount()
        except BaseException:
            _run("losetup", "-d", self._loop)
            raise

    def mount(self, *options: str) -> None:
        """Mount it, read-only for instance."""
        listed = ",".join(("noatime", *options))
        _run("mount", "-o", listed, self._loop, str(self.folder))

    def unmount(self) -> None:
        """Needs nobody to have a file open."""
        _run("umount", str(self.folder))

    def fill(self, left: int = 0) -> None:
        """Take all the room but so many bytes for a file."""
        stat = os.statvfs(self.folder)
        size = max(stat.f_bavail * stat.f_frsize - left, 0)
        with (self.folder / "filler").open("ab") as file:
            try:
                os.posix_fallocate(file.fileno(), file.tell(), size)
            except OSError:
                chunk = bytes(4096)  # block by block, till nothing fits any more
                while not left and os.statvfs(self.folder).f_bavail:
                    try:
                        file.write(chunk)
                        file.flush()
                        os.fsync(file.fileno())
                    except OSError:
                        return

    def empty(self) -> None:
        """Take the filler away."""
        (self.folder / "filler").unlink()
        _run("sync", "-f", str(self.folder))

    def fail(self) -> None:
        """As if the card had been pulled; reading from the cache may go on."""
        number = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(number, _SHUTDOWN, struct.pack("I", _LOG_FLUSH))
        finally:
            os.close(number)

    def error(self) -> None:
        """Let ext4 find an error; mounted with errors=remount-ro it takes no writes then."""
        name = self._loop.removeprefix("/dev/")
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1", encoding="ascii")

    def written(self) -> int:
        """Bytes that the device was given so far, with all that waited."""
        _run("sync", "-f", str(self.folder))
        stat = Path(f"/sys/block/{self._loop.removeprefix('/dev/')}/stat")
        return int(stat.read_text(encoding="ascii").split()[6]) * 512

    def close(self) -> None:
        """Take it apart."""
        subprocess.run(("umount", "-l", self.folder), check=False, capture_output=True)
        _run("losetup", "-d", self._loop)


def _run(*command: str) -> str:
    words: Sequence[str] = command
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
