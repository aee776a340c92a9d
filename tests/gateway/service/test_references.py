from flexedge.gateway.service.references import Kind, followed, referred

CONTEXT = {
    "consumption-price": {"sensor": 1},
    "production-price": {"sensor": 2, "default": "0 EUR/kWh"},
    "inflexible-device-sensors": [2, 3],
    "inflexible-consumption": [{"sensor": 2}, {"sensor": 3}],
    "commitments": [{"name": "x", "baseline": "1 kW", "sensors": [{"sensor": 2}]}],
    "site-power-capacity": "5 kW",
}
CHARTS = [
    1,
    [2, 3],
    {"title": "A", "y-axis": [1, 2], "plots": [{"sensors": [1, 2]}, {"sensor": 2}]},
    {
        "title": "B",
        "plots": [{"asset": 7, "flex-model": "soc-max"}, {"asset": 8, "flex-model": "x"}],
    },
    {"title": "C", "sensor": 2},
]


def without_2_and_8(kind: Kind, number: int) -> int | None:
    return None if (kind, number) in (("sensor", 2), ("asset", 8)) else number


def test_all_that_is_referred_to_is_found() -> None:
    assert list(referred(CONTEXT)) == [1, 2, 2, 3, 2, 3, 2]
    assert list(referred(CHARTS)) == [1, 2, 3, 1, 2, 2, 2]
    assert list(referred(CHARTS, "asset")) == [7, 8]
    assert list(referred({"group": {"asset": 4}}, "asset")) == [4]
    assert list(referred({"consumption-price-sensor": 5})) == [5]


def test_what_refers_to_nothing_goes() -> None:
    assert followed(CONTEXT, without_2_and_8) == {
        "consumption-price": {"sensor": 1},
        "inflexible-device-sensors": [3],
        "inflexible-consumption": [{"sensor": 3}],
        "commitments": [],
        "site-power-capacity": "5 kW",
    }
    assert followed(CHARTS, without_2_and_8) == [
        1,
        [3],
        {"title": "A", "y-axis": [1, 2], "plots": [{"sensors": [1]}]},
        {"title": "B", "plots": [{"asset": 7, "flex-model": "soc-max"}]},
    ]
    assert followed({"sensor": 2}, without_2_and_8) == {}


def test_numbers_become_others() -> None:
    moved = followed(CHARTS[2:3], lambda _kind, number: number + 10)
    assert moved == [
        {"title": "A", "y-axis": [1, 2], "plots": [{"sensors": [11, 12]}, {"sensor": 12}]}
    ]
    assert followed(CONTEXT, lambda _kind, number: number) == CONTEXT
    assert followed(CHARTS, lambda _kind, number: number) == CHARTS
