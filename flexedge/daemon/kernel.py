"""What Linux tells of its clock. Reads no clock itself; see ``trust`` for what follows from it."""

import ctypes
from pathlib import Path

from flexedge.daemon.trust import Facts

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # struct timex and to spare; all zero: only ask
_CONTAINED = "hypervisor"  # a flag of x86 processors
_GUESTS = ("qemu", "kvm", "vmware", "virtualbox", "xen", "amazon ec2", "google compute engine",
           "virtual machine")  # fmt: skip


def facts(root: Path = Path("/")) -> Facts:
    """What is known of the clock now. ``root`` is where /proc, /sys and /run are found."""
    return Facts(
        boot=_text(root / "proc/sys/kernel/random/boot_id"),
        synchronised=_kernel_is_synchronised(),
        rtc_us=_rtc_us(root),
        virtual=_is_virtual(root),
    )


def _kernel_is_synchronised() -> bool:
    """Whether whoever keeps the clock has told the kernel so, and not too long ago."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


def _rtc_us(root: Path) -> int | None:
    """The newest time of any clock that runs without power."""
    times = [_text(path) for path in root.glob("sys/class/rtc/rtc*/since_epoch")]
    return max((int(text) * 1_000_000 for text in times if text.isdigit()), default=None)


def _is_virtual(root: Path) -> bool:
    """Whether a host stands behind the machine: by the processor's flags, or the maker's name."""
    flags = next(
        (line for line in _text(root / "proc/cpuinfo").splitlines() if line.startswith("flags")),
        "",
    )
    maker = " ".join(
        _text(root / f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")
    )
    return _CONTAINED in flags.split() or any(guest in maker.lower() for guest in _GUESTS)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
