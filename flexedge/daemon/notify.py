"""What systemd is told: ready, alive, stopping. The only importer of systemd-python."""

import os


class SystemdMissing(RuntimeError):
    """The unit wants to be notified, but python3-systemd is not installed."""


def notify(*lines: str) -> bool:
    """Send lines such as READY=1 to the service manager; False where there is none."""
    if "NOTIFY_SOCKET" not in os.environ:
        return False
    try:
        from systemd import daemon  # type: ignore[attr-defined,unused-ignore] # noqa: PLC0415
    except ImportError as error:
        raise SystemdMissing("install python3-systemd: the unit has Type=notify") from error
    return bool(daemon.notify("\n".join(lines)))


def watchdog_seconds() -> float | None:
    """How often the service manager wants a sign of life; None if it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdigit() else None
