"""The systemd unit says what the program keeps to."""

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SWITCHED_ON = (
    "NoNewPrivileges", "PrivateTmp", "PrivateMounts", "ProtectHome", "ProtectKernelTunables",
    "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock",
    "ProtectHostname", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
    "LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC",
)  # fmt: skip


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as systemd: case matters
    parser.read_string((ROOT / "systemd" / "flexedge.service").read_text(encoding="utf-8"))
    return parser


def test_systemd_waits_watches_and_restarts(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"].endswith("/flexedge run")
    assert service["WatchdogSec"] == "30"
    assert service["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # it never gives up
    assert service["RestartPreventExitStatus"] == "78"  # but for a site file with errors in it


def test_it_writes_where_the_settings_say(unit: configparser.ConfigParser) -> None:
    settings = (ROOT / "config" / "settings.yaml").read_text(encoding="utf-8")
    folder = f"/var/lib/{unit['Service']['StateDirectory']}"
    assert f"data-dir: {folder} " in settings
    assert unit["Service"]["ProtectSystem"] == "strict"  # and nowhere else
    assert unit["Service"]["UMask"] == "0077"


def test_it_may_do_nothing_that_it_need_not(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert [name for name in SWITCHED_ON if service.get(name) != "yes"] == []
    assert service["User"] == "flexedge"
    assert service["CapabilityBoundingSet"] == ""
    assert service["RestrictAddressFamilies"].split() == ["AF_UNIX", "AF_INET", "AF_INET6"]


def test_the_user_it_runs_as_is_declared(unit: configparser.ConfigParser) -> None:
    declared = (ROOT / "systemd" / "flexedge.sysusers").read_text(encoding="utf-8").split()
    assert declared[:2] == ["u", unit["Service"]["User"]]
