"""What may happen instead of the forecast: the scenarios of a flex-context, and their weight."""

from collections.abc import Iterator

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.device import ELECTRICITY
from flexedge.optim.market import Market, Scenario
from flexedge.optim.request import terms
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.terms import Terms

_FLOWS = (("inflexible-consumption", 1.0), ("inflexible-production", -1.0))
_FIELDS = ("name", "probability", *(key for key, _ in _FLOWS),
           "consumption-price", "production-price")  # fmt: skip
_LEAST = 1e-6  # what is left for the forecast itself


def scenarios(
    context: Fields, found: Terms, market: Market, reader: Reader
) -> tuple[Scenario, ...]:
    """The futures beside the forecast, each with what differs in it. Raises ``BadField``."""
    every = tuple(_scenarios(context, found, market, reader))
    total = sum(one.probability for one in every)
    if total > 1 - _LEAST:
        context.fail("scenarios", f"their probabilities add up to {total:g}: together they should "
                     "stay below 1, the rest is that of the forecast itself")  # fmt: skip
    if risk_weight(context) and not every:
        context.fail("risk-weight", "means nothing without scenarios")
    return every


def _scenarios(context: Fields, found: Terms, market: Market, reader: Reader) -> Iterator[Scenario]:
    site = found.by_commodity[ELECTRICITY]
    for number, fields in enumerate(context.objects("scenarios"), start=1):
        fields.refuse_unknown(_FIELDS)
        probability = fields.number("probability")
        if not 0 < probability < 1:
            fields.fail("probability", "should lie between 0 and 1")
        if not any(fields.has(key) for key in _FIELDS[2:]):
            fields.fail("probability", f"is all that is said: add what differs, as {_FIELDS[2]!r}")
        flow = market.inflexible_kw.copy()
        for key, sign in _FLOWS:
            if fields.has(key):
                if site.has("inflexible-device-sensors"):
                    fields.fail(key, "does not say what it stands for beside inflexible-device-"
                                "sensors: use the present name there")  # fmt: skip
                flow += _flows(fields, key, sign, reader) - _flows(site, key, sign, reader)
        bought = terms.price(fields, "consumption-price", reader)
        sold = terms.price(fields, "production-price", reader)
        if sold is None:  # as for the forecast: the price of consumption where none was given
            follows = not site.has("production-price")
            sold = bought if bought is not None and follows else market.export_price
        yield Scenario(
            probability,
            flow,
            market.import_price if bought is None else bought,
            sold,
            fields.text("name") if fields.has("name") else f"scenario {number}",
        )


def _flows(fields: Fields, key: str, sign: float, reader: Reader) -> FloatArray:
    total = np.zeros(reader.grid.n)
    for number, raw in enumerate(fields.items(key)):
        known = isinstance(raw, int | str) and str(raw) in reader.source.sensors
        named = {"sensor": raw} if known else raw
        total += terms.flow(reader, named, f"{fields.at(key)}[{number}]", sign)
    return total


def risk_weight(context: Fields) -> float:
    """From 0, where the expected cost counts, to 1, where that of the worst future does."""
    weight = context.number("risk-weight", 0.0)
    if not 0 <= weight <= 1:
        context.fail("risk-weight", "should lie between 0 and 1")
    return weight
