"""What must hold of that which is to come from central servers: where it is wrong, and how."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from flexedge.config.case import Case, Found
from flexedge.config.centre import MAIN, Valid
from flexedge.config.load import Route
from flexedge.config.site import CentrePrice
from flexedge.config.validate import remedy

MOST: Final = 10_000
"""Values that are asked for at once."""


def arrivals_can_come(case: Case) -> Found:
    """What is received has a name of its own, a centre that may give it, and a sensible extent."""
    for name, price in case.site.prices.items():
        if isinstance(price, CentrePrice):
            route: Route = ("prices", name)
            yield from _centre(case, price.centre, (*route, "centre"))
            yield from _valid(price.valid, route)
            yield from _extent(price.ahead, timedelta(minutes=15), (*route, "ahead"))
    for centre, rules in case.site.centres.items():
        for key, one in rules.receive.items():
            route = ("centres", centre, "receive", key)
            if case.sensors[key].centre != centre:
                yield route, f"there is a sensor '{key}' already: choose another name"
            yield from _centre(case, centre, ("centres", centre, "scopes"))
            yield from _valid(one.valid, route)
            yield from _extent(one.back + one.ahead, one.resolution, (*route, "resolution"))


def _centre(case: Case, centre: str, route: Route) -> Found:
    centres = case.site.centres
    if centre not in centres and (centres or centre != MAIN):
        known = centres or (MAIN,)
        yield route, f"there is no centre '{centre}'{remedy(centre, known)}"
    elif centre in centres and "data" not in centres[centre].scopes:
        yield route, f"nothing is received from '{centre}': add data to its scopes"


def _valid(valid: Valid | None, route: Route) -> Found:
    if valid is not None and not valid[0] < valid[1]:
        yield (*route, "valid"), "is [the least, the most]: first the smaller one"


def _extent(span: timedelta, step: timedelta, route: Route) -> Iterator[tuple[Route, str]]:
    if span / step > MOST:
        yield route, f"{span / step:.0f} values at once are too many: at most {MOST}"


ARRIVALS: Final = (arrivals_can_come,)
