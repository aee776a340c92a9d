"""``kill -9``: the devices help themselves, and the next daemon gives back what was held."""

from hil.conftest import Bench, Benches
from hil.waiting import eventually

EVENING = "1776189600"  # 14 April 2026, 20:00 in Amsterdam: the car is at home
WATCHDOG_S = 60.0
"""How long the simulated devices obey somebody who has fallen silent."""


def holds(bench: Bench, assets: set[str]) -> None:
    """Fails unless these are controlled, as the devices themselves say."""
    assert bench.site.held() >= assets


def lets_go(bench: Bench, assets: set[str]) -> None:
    """Fails while the devices say that one of these is controlled."""
    assert bench.site.held() & assets == set()


def test_a_crash_leaves_the_devices_to_their_watchdogs(benches: Benches) -> None:
    bench = benches("--speed", "20", "--start", EVENING)
    bench.gateway.start_up()
    eventually(lambda: holds(bench, {"battery", "car"}), within_s=30)
    bench.gateway.crash()
    assert "battery" in bench.site.held()  # nobody has told it yet
    eventually(lambda: lets_go(bench, {"battery", "car", "heating", "solar"}), within_s=30)
    battery = bench.site.controls()["battery"]
    assert battery["state"] == "self-use"
    assert battery["written_s_ago"] >= WATCHDOG_S


def test_the_next_daemon_gives_back_what_was_held_and_then_controls_again(
    benches: Benches,
) -> None:
    bench = benches("--speed", "4", "--start", EVENING)
    gateway, site = bench.gateway, bench.site
    gateway.start_up()
    eventually(lambda: holds(bench, {"battery", "car"}), within_s=30)
    gateway.crash()
    # Without a meter and prices it has no reason to control anything: whatever is written now is
    # what was left to be given back.
    site.tell("meter", "stop")
    gateway.write_prices(known=False)
    gateway.start()
    eventually(lambda: lets_go(bench, {"battery", "car"}), within_s=30)
    told = site.controls()
    assert max(told[asset]["written_s_ago"] for asset in ("battery", "car")) < WATCHDOG_S

    def released() -> None:  # it serves a moment after it has begun to give back
        assert gateway.api.status()["plan"]["rung"] == "released"

    eventually(released, within_s=30)
    site.tell("meter", "start")
    gateway.write_prices()
    again = gateway.api.now()
    eventually(lambda: gateway.api.obeyed("battery", after=again), within_s=60)
    eventually(lambda: holds(bench, {"battery", "car"}), within_s=60)
    assert gateway.api.errors() == 0
