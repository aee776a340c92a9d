from pathlib import Path

from flexedge.daemon.kernel import facts


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert (found.boot, found.rtc_us, found.virtual) == ("", None, False)


def test_what_linux_tells(tmp_path: Path) -> None:
    put(tmp_path, "proc/sys/kernel/random/boot_id", "abc\n")
    put(tmp_path, "sys/class/rtc/rtc0/since_epoch", "12\n")
    put(tmp_path, "proc/cpuinfo", "processor: 0\nflags : fpu hypervisor sse\n")
    found = facts(tmp_path)
    assert (found.boot, found.rtc_us, found.virtual) == ("abc", 12_000_000, True)


def test_an_arm_guest_is_known_by_its_maker(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/dmi/id/sys_vendor", "QEMU\n")
    assert facts(tmp_path).virtual
