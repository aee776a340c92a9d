from flexedge.gateway.sync.translated import Numbers, Translator

NUMBERS = Numbers(
    {1: 101, 2: 102}, {(3, ""): 203, (3, "forecast"): 303, (4, ""): 204, (5, ""): 205}
)


def test_what_is_expected_is_what_forecasters_say() -> None:
    model = {
        "soc-min": "1 kWh",
        "consumption": {"sensor": 3},
        "production-capacity": {"sensor": 3, "default": "2 kW"},
        "soc-maxima": {"sensor": 4},
    }
    assert Translator(NUMBERS).flex(model) == {
        "soc-min": "1 kWh",
        "consumption": {"sensor": 203},
        "production-capacity": {"sensor": 303, "default": "2 kW"},
        "soc-maxima": {"sensor": 204},
    }


def test_prices_are_known_ahead() -> None:
    assert Translator(NUMBERS).flex({"consumption-price": {"sensor": 3}}) == {
        "consumption-price": {"sensor": 203}
    }


def test_numbers_are_found_within() -> None:
    context = {
        "inflexible-device-sensors": [3, {"sensor": 4}, 9],
        "commitments": [{"name": "a", "baseline": {"sensor": 5}, "up-price": {"sensor": 3}}],
        "commodities": [
            {"commodity": "gas", "consumption-price": {"sensor": 5}, "inflexible-consumption": [
                {"sensor": 3}]},
        ],
        "group": {"asset": 2},
    }  # fmt: skip
    translator = Translator(NUMBERS)
    assert translator.flex(context) == {
        "inflexible-device-sensors": [303, {"sensor": 204}],
        "commitments": [{"name": "a", "baseline": {"sensor": 205}, "up-price": {"sensor": 303}}],
        "commodities": [
            {"commodity": "gas", "consumption-price": {"sensor": 205}, "inflexible-consumption": [
                {"sensor": 303}]},
        ],
        "group": {"asset": 102},
    }  # fmt: skip
    assert translator.lost == {("sensor", 9)}


def test_what_refers_to_nothing_is_left_out_and_told() -> None:
    translator = Translator(NUMBERS)
    told = translator.flex({"soc-maxima": {"sensor": 9}, "group": {"asset": 8}, "soc-min": "1 kWh"})
    assert told == {"soc-min": "1 kWh"}
    assert translator.lost == {("sensor", 9), ("asset", 8)}


def test_charts_are_of_what_is_measured() -> None:
    translator = Translator(NUMBERS)
    charts = [
        {"title": "Power", "sensors": [3, 4, 9]}, 5, [3, 9], {"title": "None", "sensors": [9]},
        {"title": "Band", "plots": [{"asset": 1, "flex-model": "soc-min"}, {"sensor": 3}]},
    ]  # fmt: skip
    assert translator.charts(charts) == [
        {"title": "Power", "sensors": [203, 204]}, 205, [203],
        {"title": "Band", "plots": [{"asset": 101, "flex-model": "soc-min"}, {"sensor": 203}]},
    ]  # fmt: skip
    assert translator.lost == {("sensor", 9)}


def test_what_is_received_is_known_there_by_its_own_number() -> None:
    numbers = Numbers({}, {(6, "received"): 14})
    context = {"site-consumption-capacity": {"sensor": 6, "default": "5 kW"}}
    assert Translator(numbers).flex(context) == {
        "site-consumption-capacity": {"sensor": 14, "default": "5 kW"}
    }
