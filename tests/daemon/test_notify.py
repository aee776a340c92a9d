import pytest

from flexedge.daemon import notify


def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify.notify("READY=1") is False


@pytest.mark.parametrize(
    ("value", "seconds"), [("30000000", 30.0), ("", None), ("soon", None), (None, None)]
)
def test_the_watchdog_interval_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, seconds: float | None
) -> None:
    if value is None:
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    else:
        monkeypatch.setenv("WATCHDOG_USEC", value)
    assert notify.watchdog_seconds() == seconds
