"""Which sensors get their values from a central server."""

from datetime import timedelta

from pydantic import TypeAdapter

from flexedge.config.coming import ANYTHING, Coming, coming, received
from flexedge.config.site import Site

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
SITE = {
    "site": {"name": "Hut", "timezone": "Europe/Amsterdam",
             "location": {"latitude": 52, "longitude": 5}},
    "prices": {
        "import": {"centre": "main", "sensor": 14, "unit": "EUR/MWh", "valid": [-500, 4000]},
        "feed-in": {"fixed": "0.08 EUR/kWh"},
    },
    "centres": {"main": {"receive": {
        "weather.temperature": {"sensor": 3, "unit": "degC", "resolution": "1 h",
                                "every": "30 min"},
    }}},
    "grid-connection": {"device": "meter"},
    "assets": {},
    "flex-context": {"consumption-price": "0.3 EUR/kWh"},
}  # fmt: skip


def test_what_is_received_and_prices_of_centres_come() -> None:
    site = TypeAdapter(Site).validate_python(SITE, by_alias=True, by_name=False)
    assert coming(site) == {
        "weather.temperature": Coming(
            "main", 3, "degC", HOUR, 2 * QUARTER, 2 * HOUR, 48 * HOUR, ANYTHING
        ),
        received("import"): Coming(
            "main", 14, "EUR/MWh", QUARTER, QUARTER, HOUR, 48 * HOUR, (-500, 4000)
        ),
    }
