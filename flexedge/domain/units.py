"""Quantities as people write them ("5 kW", "0.29 EUR/kWh", "90%", "PT15M") to house units."""

import math
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from flexedge.domain.arithmetic import value_of

Dimension = Literal[
    "power",
    "energy",
    "energy-price",
    "power-price",
    "share",
    "temperature",
    "volume",
    "current",
    "voltage",
    "frequency",
]

_SCALES: dict[str, tuple[Dimension, float]] = {
    "W": ("power", 1e-3), "kW": ("power", 1.0), "MW": ("power", 1e3), "GW": ("power", 1e6),
    "VA": ("power", 1e-3), "kVA": ("power", 1.0), "MVA": ("power", 1e3),
    "Wh": ("energy", 1e-3), "kWh": ("energy", 1.0), "MWh": ("energy", 1e3), "GWh": ("energy", 1e6),
    "TWh": ("energy", 1e9), "MJ": ("energy", 1 / 3.6), "GJ": ("energy", 1e3 / 3.6),
    "%": ("share", 1e-2), "": ("share", 1.0),
    "degC": ("temperature", 1.0), "°C": ("temperature", 1.0),
    "l": ("volume", 1.0), "L": ("volume", 1.0), "m3": ("volume", 1e3), "m³": ("volume", 1e3),
    "A": ("current", 1.0), "mA": ("current", 1e-3),
    "V": ("voltage", 1.0), "Hz": ("frequency", 1.0),
}  # fmt: skip
_EXAMPLES: dict[Dimension, str] = {
    "power": "5 kW",
    "energy": "10 kWh",
    "energy-price": "0.29 EUR/kWh",
    "power-price": "120 EUR/kW",
    "share": "90%",
    "temperature": "55 degC",
    "volume": "500 l",
    "current": "16 A",
    "voltage": "230 V",
    "frequency": "50 Hz",
}
_NUMBER_AND_UNIT = re.compile(
    r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*(?:\s*/\s*\S+)?)\s*$"
)
_SUM_AND_UNIT = re.compile(r"^\s*(\(.*\))\s*([^()]*?)\s*$", re.DOTALL)
_MONEY = re.compile(r"(?P<prefix>[mckM]?)(?P<currency>[A-Z]{3})|(?P<mass>kg|g|t)")
_PREFIXES = {"": 1.0, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6}
_MASSES = {"g": 1e-3, "kg": 1.0, "t": 1e3}
_ISO_DURATION = re.compile(
    r"^P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
_SHORT_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$")
_SHORT_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement: its dimension, its factor to the house unit, its currency if any."""

    dimension: Dimension
    factor: float
    currency: str | None = None


def parse_unit(text: str) -> Unit:
    """Read a unit: ``kW``, ``%``, ``EUR/MWh``, ``cEUR/kWh``, ``EUR/kW``.

    What is paid may also be a mass, as of CO2: kg, in which g and t are counted, too.

    Raises ``ValueError`` for a unit flexedge does not know.
    """
    if text in _SCALES:
        return Unit(*_SCALES[text])
    money, _, per = (part.strip() for part in text.partition("/"))
    paid = _MONEY.fullmatch(money)
    if paid and per in _SCALES:
        dimension, factor = _SCALES[per]
        scale = _MASSES[paid["mass"]] if paid["mass"] else _PREFIXES[paid["prefix"]]
        currency = "kg" if paid["mass"] else paid["currency"]
        if dimension == "energy":
            return Unit("energy-price", scale / factor, currency)
        if dimension == "power":
            return Unit("power-price", scale / factor, currency)
    folded = {unit.lower(): unit for unit in _SCALES}
    if text.lower() in folded:
        raise ValueError(f"unknown unit {text!r}; did you mean {folded[text.lower()]!r}?")
    known = ", ".join(sorted(unit for unit in _SCALES if unit.isascii() and unit))
    raise ValueError(f"unknown unit {text!r}; known are {known} and prices such as EUR/kWh")


def sensor_unit(symbol: str) -> tuple[str, float]:
    """The unit a sensor keeps for what a device gives in ``symbol``, and the factor to it.

    Power becomes kW and energy kWh; everything else (%, degC, V, A, Hz, "") stays as it is.
    """
    unit = parse_unit(symbol)
    if unit.dimension == "power":
        return "kW", unit.factor
    if unit.dimension == "energy":
        return "kWh", unit.factor
    return symbol, 1.0


@dataclass(frozen=True, slots=True)
class Price:
    """Money per kWh or per kW, in a currency."""

    value: float
    currency: str

    per: Literal["", "kWh", "kW"] = ""
    """What it is the price of, where that is not plain from where it stands."""

    def __str__(self) -> str:
        return f"{self.value:g} {self.currency}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in a currency."""

    value: float
    currency: str


def _number_and_unit(text: str) -> tuple[float, str] | None:
    """A number, or a sum in brackets as FlexMeasures takes it, and what stands behind it."""
    match = _NUMBER_AND_UNIT.match(text)
    if match is not None:
        return float(match[1]), match[2]
    summed = _SUM_AND_UNIT.match(text)
    return None if summed is None else (value_of(summed[1]), summed[2])


def _split(text: Any, dimension: Dimension) -> tuple[float, Unit]:
    example = _EXAMPLES[dimension]
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        raise ValueError(f"should be a quantity such as {example!r}")
    found = _number_and_unit(str(text))
    if found is None:
        raise ValueError(f"{text!r} is not a quantity; write a number and a unit, as {example!r}")
    number, symbol = found
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a finite number")
    if not symbol and dimension != "share":
        raise ValueError(f"{text!r} has no unit; write it as {example!r}")
    unit = parse_unit(symbol)
    if unit.dimension != dimension:
        wanted = dimension.replace("-", " ")
        raise ValueError(f"{text!r} is {unit.dimension.replace('-', ' ')}, but this is {wanted}: "
                         f"write it as {example!r}")  # fmt: skip
    return number, unit


def quantity(text: Any, dimension: Dimension) -> float:
    """Turn "5 kW" and the like into a number in house units (kW, kWh, share, °C, litre, A).

    Raises ``ValueError`` with a remedy for anything else, a bare number included (shares may be
    bare: 0.9 is 90 %).
    """
    number, unit = _split(text, dimension)
    return number * unit.factor


def price(text: Any, dimension: Literal["energy-price", "power-price"]) -> Price:
    """Turn "0.29 EUR/kWh" or "120 EUR/MW" into a price per kWh or kW."""
    if isinstance(text, Price):
        return text
    number, unit = _split(text, dimension)
    if unit.currency is None:  # pragma: no cover - parse_unit gives prices a currency
        raise ValueError(f"{text!r} has no currency")
    return Price(number * unit.factor, unit.currency)


def position_price(text: Any) -> Price:
    """A price of energy ("0.29 EUR/kWh") or of power ("120 EUR/kW"), which says which it is."""
    if isinstance(text, Price):
        return text
    try:
        return replace(price(text, "energy-price"), per="kWh")
    except ValueError as error:
        try:
            return replace(price(text, "power-price"), per="kW")
        except ValueError:
            raise error from None


def money(text: Any) -> Money:
    """Turn "0.50 EUR" into an amount of money. Raises ``ValueError`` with a remedy."""
    if isinstance(text, Money):
        return text
    match = _NUMBER_AND_UNIT.match(text) if isinstance(text, str) else None
    if match is None or re.fullmatch("[A-Z]{3}", match[2]) is None:
        raise ValueError(f"{text!r} is not an amount of money; write it as '0.50 EUR'")
    return Money(float(match[1]), match[2])


def ramp(text: Any) -> float:
    """Turn a power per time ("10 kW/h", "500 W/min") into kW per hour.

    Raises ``ValueError`` with a remedy.
    """
    top, _, below = text.rpartition("/") if isinstance(text, str) else ("", "", "")
    per_hour = {"h": 1.0, "min": 60.0}.get(below.strip())
    if per_hour is None:
        raise ValueError(f"{text!r} should be a power per time, such as '10 kW/h'")
    found = quantity(top.strip(), "power") * per_hour
    if found <= 0:
        raise ValueError("should be above 0: limits of both directions are positive")
    return found


def _duration_parts(text: str) -> dict[str, float]:
    if match := _ISO_DURATION.fullmatch(text):
        return {name: float(part) for name, part in match.groupdict().items() if part}
    if match := _SHORT_DURATION.fullmatch(text):
        return {"seconds": float(match[1]) * _SHORT_SECONDS[match[2]]}
    return {}


def duration(text: Any) -> timedelta:
    """Turn an ISO 8601 duration ("PT15M") or a short one ("15 min", "50ms") into a timedelta."""
    if isinstance(text, timedelta):
        return text
    if isinstance(text, str):
        try:
            parts = _duration_parts(text)
            if parts:
                return timedelta(**parts)
        except OverflowError:
            raise ValueError(f"{text!r} is too long a time") from None
    raise ValueError(f"{text!r} is not a duration; write it as 'PT15M' or '15 min'")


def _field(dimension: Dimension) -> tuple[BeforeValidator, PlainSerializer, WithJsonSchema]:
    symbol = {"power": "kW", "energy": "kWh", "temperature": "degC", "volume": "l",
              "current": "A", "share": ""}[dimension]  # fmt: skip
    return (
        BeforeValidator(lambda text: quantity(text, dimension)),
        PlainSerializer(lambda number: f"{number!r} {symbol}".strip(), return_type=str),
        WithJsonSchema({"type": ["string", "number"] if dimension == "share" else "string",
                        "examples": [_EXAMPLES[dimension]]}),
    )  # fmt: skip


def _price_field(dimension: Literal["energy-price", "power-price"]) -> tuple[Any, ...]:
    per = "kWh" if dimension == "energy-price" else "kW"
    return (
        BeforeValidator(lambda text: price(text, dimension)),
        PlainSerializer(lambda price: f"{price.value!r} {price.currency}/{per}", return_type=str),
        WithJsonSchema({"type": "string", "examples": [_EXAMPLES[dimension]]}),
    )


def _text(example: str, read: Any, write: Any) -> tuple[Any, ...]:
    return (
        BeforeValidator(read),
        PlainSerializer(write, return_type=str),
        WithJsonSchema({"type": "string", "examples": [example]}),
    )


PowerKw = Annotated[float, *_field("power")]
EnergyKwh = Annotated[float, *_field("energy")]
Share = Annotated[float, *_field("share")]
TemperatureC = Annotated[float, *_field("temperature")]
VolumeL = Annotated[float, *_field("volume")]
CurrentA = Annotated[float, *_field("current")]
PricePerKwh = Annotated[Price, *_price_field("energy-price")]
PricePerKw = Annotated[Price, *_price_field("power-price")]
PositionPrice = Annotated[
    Price,
    *_text(
        "0.29 EUR/kWh",
        position_price,
        lambda price: f"{price.value!r} {price.currency}/{price.per}",
    ),
]
MoneyAmount = Annotated[
    Money, *_text("0.50 EUR", money, lambda money: f"{money.value!r} {money.currency}")
]
RampKwPerHour = Annotated[float, *_text("10 kW/h", ramp, lambda ramp: f"{ramp!r} kW/h")]
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": "string", "examples": ["PT15M", "15 min", "50ms"]}),
]
