import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from flexedge.cloud.central import Central, Greeting, Job, Posted, Whoami
from flexedge.cloud.keys import Key
from flexedge.cloud.pace import Pace
from flexedge.domain.runs import Run
from flexedge.errors import CentreAway, CentreLocked, CentreRefused
from tests.api.served import ADMIN, PASSWORD, USER, Served
from tests.cloud.faulty import Faulty, answer, says
from tests.cloud.parts import NOW, TOKEN, Clock, Held, central

KEY = Key(USER, PASSWORD)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
LOCATION = {"latitude": 52.5, "longitude": 4.9}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)).people() as server:
        yield server


@pytest.fixture
def centre(served: Served) -> Iterator[Central]:
    with closing(central(served.url, Held(KEY))) as made:
        yield made


@pytest.fixture
def battery(centre: Central, request: pytest.FixtureRequest) -> Iterator[int]:
    kind = centre.asset_types()["battery"]
    fields = {"name": request.node.name, "generic_asset_type_id": kind, "account_id": 1}
    number = centre.add_asset(fields)
    yield number
    centre.delete_asset(number)


@pytest.fixture
def power(centre: Central, battery: int) -> int:
    return centre.add_sensor(
        {
            "name": "power", "unit": "kW", "event_resolution": "PT15M", "timezone": "UTC",
            "generic_asset_id": battery, "attributes": {"consumption_is_positive": True},
        }
    )  # fmt: skip


def run(*values: float | None, start: datetime = NOW, **more: Any) -> Run:
    return Run(start, QUARTER, values, "kW", **(more or {"horizon": timedelta(0)}))


def test_a_server_of_ours_says_so(served: Served) -> None:
    with closing(central(served.url, Held(None))) as stranger:
        assert stranger.greet() == Greeting("1.0.1", "flexedge")
        with pytest.raises(CentreLocked):
            stranger.accounts()


def test_who_we_are(centre: Central) -> None:
    assert centre.whoami() == Whoami(1, USER, 1, "Toy Account")
    assert centre.accounts() == {1: "Toy Account"}
    assert centre.asset_types()["battery"] > 0
    assert centre.received > 0
    assert centre.ahead is not None


def test_who_we_are_is_found_by_e_mail_address_too(served: Served) -> None:
    shown = Key(USER.upper(), token=served.token())
    with closing(central(served.url, Held(shown))) as made:
        assert made.whoami() == Whoami(1, USER, 1, "Toy Account")
    with closing(central(served.url, Held(replace(shown, email="nobody@example.org")))) as made:
        with pytest.raises(CentreRefused, match=r"no user nobody@example\.org"):
            made.whoami()
    with closing(central(served.url, Held(replace(shown, email="")))) as made:
        with pytest.raises(CentreRefused, match="give the e-mail address"):
            made.whoami()


def test_a_refresh_token_of_ours_works(served: Served) -> None:
    body = {"email": USER, "password": PASSWORD, "refresh": True}
    pair = requests.post(f"{served.url}/api/requestAuthToken", json=body, timeout=30).json()
    held, clock = Held(Key(token="gone", refresh=pair["refresh_token"])), Clock()
    with closing(central(served.url, held, clock)) as made:
        assert made.accounts() == {1: "Toy Account"}
        first = held.key
        assert first is not None
        assert first.refresh not in ("", pair["refresh_token"])
        clock.on(5 * HOUR)
        assert made.accounts() == {1: "Toy Account"}
        assert held.key is not None
        assert held.key.refresh not in ("", first.refresh)


def test_assets_come_and_go(centre: Central, battery: int) -> None:
    fields = {
        "attributes": {"a": [1, "ü"]}, "flex_model": {"soc-max": "10 kWh"}, "external_id": "x/1",
        **LOCATION,
    }  # fmt: skip
    centre.change_asset(battery, fields)
    found = centre.asset(battery)
    assert {name: found[name] for name in fields} == fields
    assert battery in [one["id"] for one in centre.assets(1)]
    below = centre.add_asset(
        {"name": "below", "generic_asset_type_id": 1, "account_id": 1, "parent_asset_id": battery}
    )
    assert [one["id"] for one in centre.assets(1, root=battery)] == [battery, below]
    centre.delete_asset(below)
    for gone in (centre.asset, centre.delete_asset):
        with pytest.raises(CentreRefused) as caught:
            gone(below)
        assert (caught.value.status, caught.value.code) == (404, "NOT_FOUND")


def test_assets_are_all_told_once_however_many_pages_they_fill(served: Served) -> None:
    head = {"Authorization": served.token(ADMIN)}
    account = requests.post(
        f"{served.url}/api/v3_0/accounts", json={"name": "Full"}, headers=head, timeout=30
    ).json()["id"]
    with closing(central(served.url, Held(replace(KEY, email=ADMIN)))) as made:
        fields = {"generic_asset_type_id": 1, "account_id": account}
        first = {"name": "top", "attributes": {"a": 1}, "external_id": "x"}
        numbers = [made.add_asset({**fields, **first})]
        fields["parent_asset_id"] = numbers[0]
        for many in (100, 105, 200):
            numbers += [
                made.add_asset({**fields, "name": f"n{n}"}) for n in range(len(numbers), many)
            ]
            for root in (None, numbers[0]):
                told = made.assets(account, root)
                assert [one["id"] for one in told] == numbers
        assert (told[0]["attributes"], told[0]["external_id"]) == ({"a": 1}, "x")
        made.delete_asset(numbers[0])
        assert made.assets(account) == []
        with pytest.raises(CentreRefused) as caught:
            made.assets(999)
    assert caught.value.status == 404


def page(first: int, n: int, **counts: int) -> bytes:
    """A made-up page of a list of assets."""
    told = {name.replace("_", "-"): count for name, count in counts.items()}
    return answer(200, {"data": [{"id": first + k} for k in range(n)], **told})


def test_no_page_is_asked_for_behind_the_last() -> None:
    counts = {"num_records": 300, "filtered_records": 200}  # of all, and of what was asked for
    steps = [says(page(0, 100, **counts)), says(page(100, 100, **counts)), says(answer(500))]
    with Faulty(steps) as server, closing(central(server.url)) as made:
        assert [one["id"] for one in made.assets(1)] == list(range(200))
        asked = [parse_qs(urlsplit(one.path).query) for one in server.got]
    assert [one["page"] for one in asked] == [["1"], ["2"]]
    assert {"external_id", "attributes"} <= set(asked[0]["fields"][0].split("|"))


@pytest.mark.parametrize(
    "steps",
    [
        [page(0, 100), answer(404, {"message": "There is no page 2."})],
        [page(0, 100, filtered_records=150), answer(404, {"message": "There is no page 2."})],
        [page(0, 100), page(100, 0)],
        [answer(200, [{"id": n} for n in range(100)]), answer(500)],
    ],
)
def test_assets_that_go_meanwhile_or_are_not_counted_are_no_trouble(steps: list[bytes]) -> None:
    with Faulty([says(one) for one in steps]) as server, closing(central(server.url)) as made:
        assert len(made.assets(1)) == 100


def test_sensors_come_and_go(centre: Central, battery: int, power: int) -> None:
    below = centre.add_asset(
        {"name": "below", "generic_asset_type_id": 1, "account_id": 1, "parent_asset_id": battery}
    )
    other = centre.add_sensor(
        {"name": "power", "unit": "kW", "event_resolution": "PT5M", "generic_asset_id": below}
    )
    (found,) = centre.sensors(battery)
    assert (found["id"], found["name"], found["unit"]) == (power, "power", "kW")
    centre.change_sensor(power, {"attributes": {"b": None}})
    assert centre.sensor(power)["attributes"] == {"b": None}
    centre.delete_sensor(other)
    with pytest.raises(CentreRefused) as caught:
        centre.sensor(other)
    assert caught.value.status == 404


def test_values_go_up_and_come_down(centre: Central, power: int) -> None:
    assert centre.post(power, run(1.0, 2.5, None, -4.0)).known is False
    assert centre.post(power, run(1.0, 2.5, None, -4.0)) == Posted(None, known=True)
    found = centre.values(power, NOW, HOUR + QUARTER, "W", QUARTER)
    assert found == Run(NOW, QUARTER, (1000.0, 2500.0, None, -4000.0, None), "W")
    assert centre.values(power, NOW, HOUR, "kW", HOUR).step == HOUR
    with pytest.raises(CentreRefused) as caught:
        centre.post(power, run(9.0))
    assert (caught.value.status, caught.value.code) == (403, "INVALID_REPLACEMENT")
    centre.post(power, run(9.0, prior=NOW + HOUR))
    assert centre.values(power, NOW, QUARTER, "kW", QUARTER).values == (9.0,)


def test_values_that_are_none_are_refused(centre: Central, power: int) -> None:
    for odd in (run(float("nan")), replace(run(1.0), unit="EUR")):
        with pytest.raises(CentreRefused) as caught:
            centre.post(power, odd)
        assert caught.value.status == 422
    with pytest.raises(CentreRefused) as caught:
        centre.post(10**6, run(1.0))
    assert caught.value.status == 404


def test_a_schedule_is_asked_for_and_fetched(centre: Central, battery: int, power: int) -> None:
    prices = {"consumption-price": "100 EUR/MWh", "site-power-capacity": "10 kW"}
    centre.change_asset(battery, {"flex_context": prices})
    model = {
        "sensor": power, "soc-at-start": "5 kWh", "soc-min": "1 kWh", "soc-max": "10 kWh",
        "power-capacity": "2 kW", "soc-targets": [
            {"value": "9 kWh", "datetime": (NOW + 4 * HOUR).isoformat()}
        ],
    }  # fmt: skip
    body = {
        "start": NOW.isoformat(), "duration": "PT6H", "prior": NOW.isoformat(),
        "flex-model": [model],
    }  # fmt: skip
    job = centre.trigger(battery, body)
    while (found := centre.job(job)).state == "waiting":
        pass
    assert found.state == "finished"
    made = centre.schedule(power, job, 6 * HOUR, "W")
    assert made is not None
    assert (made.start, made.step, made.unit, len(made.values)) == (NOW, QUARTER, "W", 24)
    charged = sum(value or 0 for value in made.values[:16]) / 4
    assert charged == pytest.approx(4000, abs=1)


def test_a_job_that_nobody_knows_is_gone(centre: Central, power: int) -> None:
    assert centre.job("../../nothing here").state == "gone"
    with pytest.raises(CentreRefused) as caught:
        centre.schedule(power, "nothing", HOUR, "kW")
    assert caught.value.code == "UNRECOGNIZED_UDI_EVENT"


def test_annotations_can_be_posted_twice(centre: Central, battery: int, power: int) -> None:
    fields = {
        "content": "hot", "start": NOW.isoformat(), "end": (NOW + HOUR).isoformat(),
        "type": "alert",
    }  # fmt: skip
    for _ in range(2):
        centre.annotate("assets", battery, fields)
        centre.annotate("sensors", power, fields)
    with pytest.raises(CentreRefused):
        centre.annotate("assets", battery, fields | {"type": "shout"})


def test_how_stale_sensors_are(centre: Central, battery: int, power: int) -> None:
    centre.post(power, run(1.0))
    (found,) = centre.status(battery)
    assert (found["id"], found["stale"]) == (power, True)
    assert centre.status_of(power)[0]["source_type"] == "user"


def test_a_job_that_runs_is_waited_for() -> None:
    with Faulty([says(answer(202, {"status": "STARTED", "message": "Running."}))]) as server:
        with closing(central(server.url)) as made:
            assert made.job("a/b") == Job("waiting", "Running.")
            assert made.schedule(5, "a?b", 48 * HOUR, "kW") is None
    job, schedule = server.got
    assert job.path == "/api/v3_0/jobs/a%2Fb"
    assert schedule.path == "/api/v3_0/sensors/5/schedules/a%3Fb?duration=PT48H&unit=kW"


def test_triggers_that_are_too_many_stop_nothing_else() -> None:
    steps = [says(answer(429, {"message": "x"}, {"Retry-After": "90"})), says(answer(200, []))]
    with Faulty(steps) as server, closing(central(server.url)) as made:
        with pytest.raises(CentreAway) as caught:
            made.trigger(5, {})
        assert (caught.value.kind, caught.value.retry_after) == ("paced", timedelta(seconds=90))
        with pytest.raises(CentreAway) as caught:
            made.trigger(5, {})
        assert caught.value.kind == "paced"
        assert made.accounts() == {}
    assert len(server.got) == 2


def test_ten_triggers_are_made_in_five_minutes() -> None:
    clock = Clock()
    with Faulty([says(answer(202, {"job": "x"}))]) as server:
        with closing(central(server.url, clock=clock)) as made:
            assert [made.trigger(5, {}) for _ in range(10)] == ["x"] * 10
            with pytest.raises(CentreAway) as caught:
                made.trigger(5, {})
            assert (caught.value.kind, caught.value.centre) == ("paced", "main")
            clock.on(timedelta(minutes=5))
            made.trigger(5, {})


def test_an_account_with_more_assets_than_any_gateway_has_is_told() -> None:
    full = answer(200, {"data": [{"id": n} for n in range(100)], "num-records": 10**6})
    with Faulty([says(full)]) as server, closing(central(server.url)) as made:
        with pytest.raises(CentreAway) as caught:
            made.assets(1)
    assert caught.value.kind == "large"
    assert len(server.got) == 200


def test_what_waited_is_paced_by_itself() -> None:
    made = Central("main", "http://localhost:1", Held(TOKEN), Clock(), Pace(10, Random(1), 1.0))
    made.backfill(5000)
    with pytest.raises(CentreAway) as caught:
        made.backfill(1)
    assert (caught.value.kind, caught.value.centre) == ("paced", "main")


def test_times_are_told_with_their_offset() -> None:
    start = datetime(2026, 4, 14, 12, tzinfo=UTC).astimezone()
    told = {"values": [1], "start": start.isoformat(), "duration": "PT15M", "unit": "kW"}
    with Faulty([says(answer(200, told))]) as server, closing(central(server.url)) as made:
        assert made.values(5, start, QUARTER, "kW", QUARTER).start == start
    assert "duration=PT15M&unit=kW&resolution=PT15M" in server.got[0].path
