"""Which sensors of a site get their values from a central server, and what is asked there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flexedge.config.centre import Valid
from flexedge.config.site import CentrePrice, Site

ANYTHING: Valid = (-1e12, 1e12)
"""What can be believed of a value where the installer says nothing."""
_PRICE_STEP = timedelta(minutes=15)
_PRICE_BACK = timedelta(hours=1)  # an hour's price may begin at half past, as in India
RECEIVED_PRICE = ".received"
"""What the names of sensors end with that hold prices as a centre tells them."""


@dataclass(frozen=True, slots=True)
class Coming:
    """One sensor here, and which one it is at the centre."""

    centre: str
    number: int
    """At the centre."""
    unit: str
    resolution: timedelta
    every: timedelta
    """How often it is asked for."""
    back: timedelta
    ahead: timedelta
    """Asked for is what lies between so long before now and so long after."""
    valid: Valid


def received(price: str) -> str:
    """The sensor that holds a price as the centre tells it, without what is added."""
    return f"{price}{RECEIVED_PRICE}"


def coming(site: Site) -> dict[str, Coming]:
    """All of them, by what they are called here."""
    return dict(_coming(site))


def _coming(site: Site) -> Iterator[tuple[str, Coming]]:
    for centre, rules in site.centres.items():
        for key, one in rules.receive.items():
            valid = one.valid or ANYTHING
            yield key, Coming(
                centre, one.sensor, one.unit, one.resolution, one.every, one.back, one.ahead, valid
            )  # fmt: skip
    for name, price in site.prices.items():
        if isinstance(price, CentrePrice):
            yield received(name), Coming(
                price.centre, price.sensor, price.unit, _PRICE_STEP, price.every, _PRICE_BACK,
                price.ahead, price.valid or ANYTHING,
            )  # fmt: skip
