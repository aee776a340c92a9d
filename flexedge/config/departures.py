"""What must hold of that which goes to central servers, and of what they may do here."""

import re
from typing import Final

from flexedge.config.case import Case, Found
from flexedge.config.centre import Scope
from flexedge.config.load import Route
from flexedge.config.validate import remedy

_OTHERS: Final = re.compile(r"\d+/")
"""How names of sensors begin that were made through the API; which those are, no file says."""
_NEEDED: Final[tuple[tuple[str, Scope], ...]] = (
    ("flex_model", "edits"),
    ("flex_context", "edits"),
    ("attributes", "edits"),
    ("commands", "commands"),
)


def reports_are_about_sensors(case: Case) -> Found:
    """Rules of single sensors are about sensors that there are."""
    if not all(map(case.is_known, case.site.devices)):
        return
    for centre, rules in case.site.centres.items():
        for name in rules.sensors:
            if name not in case.sensors and _OTHERS.match(name) is None:
                route: Route = ("centres", centre, "sensors", name)
                yield route, f"there is no sensor '{name}'{remedy(name, case.sensors)}"


def scopes_allow(case: Case) -> Found:
    """What may be done from a centre is among its scopes."""
    for centre, rules in case.site.centres.items():
        for field, scope in _NEEDED:
            if getattr(rules.accept, field) and scope not in rules.scopes:
                route: Route = ("centres", centre, "accept", field.replace("_", "-"))
                yield route, f"nothing of it is accepted: add {scope} to the scopes of '{centre}'"
    centres = case.site.centres
    if centres and not any("plans" in rules.scopes for rules in centres.values()):
        for name, asset in case.site.assets.items():
            if asset.planner != "local":
                yield ("assets", name, "planner"), "no centre plans: add plans to the scopes of one"


DEPARTURES: Final = (reports_are_about_sensors, scopes_allow)
