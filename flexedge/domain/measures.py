"""Units of any kind: SI prefixes, products, quotients and powers of what is known.

"m³/h", "kW", "J/s", "cEUR/kWh", "g/kWh", "W/m^2", "°C". Factors are fractions, so that what is
turned there and back is what it was. The house's own quantities are in ``units``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Powers = tuple[tuple[str, int], ...]
"""Base dimensions with their exponents, by name; none for a share. A currency is one of its own."""

_PREFIXES: Mapping[str, Fraction] = {
    symbol: Fraction(10) ** power
    for symbol, power in {
        "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "d": -1, "h": 2, "k": 3,
        "M": 6, "G": 9, "T": 12, "P": 15,
    }.items()
}  # fmt: skip
_FORCE = {"kg": 1, "m": 1, "s": -2}
_ENERGY = {"kg": 1, "m": 2, "s": -2}
_POWER = {"kg": 1, "m": 2, "s": -3}
_VOLT = {"kg": 1, "m": 2, "s": -3, "A": -1}
_OHM = {**_VOLT, "A": -2}
_PRESSURE = {"kg": 1, "m": -1, "s": -2}
_SCALED: Mapping[str, tuple[str | int, Mapping[str, int]]] = {
    "W": (1, _POWER), "VA": (1, _POWER), "var": (1, _POWER),
    "Wh": (3600, _ENERGY), "VAh": (3600, _ENERGY), "varh": (3600, _ENERGY),
    "J": (1, _ENERGY), "cal": ("4.184", _ENERGY), "A": (1, {"A": 1}),
    "Ah": (3600, {"A": 1, "s": 1}), "V": (1, _VOLT), "ohm": (1, _OHM), "Ω": (1, _OHM),
    "F": (1, {"kg": -1, "m": -2, "s": 4, "A": 2}), "Hz": (1, {"s": -1}), "N": (1, _FORCE),
    "Pa": (1, _PRESSURE), "bar": (100_000, _PRESSURE), "m": (1, {"m": 1}),
    "g": ("0.001", {"kg": 1}), "t": (1000, {"kg": 1}), "l": ("0.001", {"m": 3}),
    "L": ("0.001", {"m": 3}), "s": (1, {"s": 1}), "K": (1, {"K": 1}),
    "lx": (1, {"cd": 1, "m": -2}), "lm": (1, {"cd": 1}), "cd": (1, {"cd": 1}),
    "mol": (1, {"mol": 1}), "bit": (1, {"bit": 1}), "B": (8, {"bit": 1}),
}  # fmt: skip
"""What takes a prefix."""
_WHOLE: Mapping[str, tuple[str | int, Mapping[str, int]]] = {
    "": (1, {}), "dimensionless": (1, {}), "%": ("0.01", {}), "percent": ("0.01", {}),
    "‰": ("0.001", {}), "permille": ("0.001", {}), "ppm": ("0.000001", {}), "1": (1, {}),
    "min": (60, {"s": 1}), "h": (3600, {"s": 1}), "d": (86400, {"s": 1}), "day": (86400, {"s": 1}),
    "hour": (3600, {"s": 1}), "Nm": (1, _ENERGY), "rpm": ("1/60", {"s": -1}),
    "lux": (1, {"cd": 1, "m": -2}), "ha": (10_000, {"m": 2}), "m2": (1, {"m": 2}),
    "m3": (1, {"m": 3}), "ft": ("0.3048", {"m": 1}), "mile": ("1609.344", {"m": 1}),
    "mph": ("0.44704", {"m": 1, "s": -1}),
    "degC": (1, {"K": 1}), "°C": (1, {"K": 1}), "ºC": (1, {"K": 1}),
    "degF": ("5/9", {"K": 1}), "°F": ("5/9", {"K": 1}),
    "deg": (1, {"rad": 1}), "°": (1, {"rad": 1}), "rad": ("57.29577951308232", {"rad": 1}),
}  # fmt: skip
_ZEROS = {name: Fraction("273.15") for name in ("degC", "°C", "ºC")} | {
    name: Fraction("273.15") - Fraction(32 * 5, 9) for name in ("degF", "°F")
}
"""What 0 of a temperature is in K."""
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_TERM = re.compile(
    r"(?P<symbol>[^\s*·^⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*?)(?:(?:\*\*|\^)?(?P<power>-?[0-9]|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?"
)
_CURRENCY = re.compile(r"[mckM]?(?P<code>[A-Z]{3})")
_FOLDED = {name.lower() for name in (*_SCALED, *_WHOLE)} | {
    f"{prefix}{name}".lower() for prefix in ("k", "M", "G") for name in _SCALED
}
_MOST = 60
"""Letters of a unit."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit: what it measures, and how much of that it is."""

    factor: Fraction
    powers: Powers
    zero: Fraction = Fraction(0)
    """What 0 of it is in base units: only of temperatures that stand alone."""

    def over(self, other: "Measure") -> "Measure":
        """What is left when divided."""
        return Measure(self.factor / other.factor, _joined(self.powers, other.powers, -1))


ENERGY = tuple(sorted(_ENERGY.items()))
POWER = tuple(sorted(_POWER.items()))
TIME: Powers = (("s", 1),)
PER_TIME: Powers = (("s", -1),)
SHARE: Powers = ()


def is_money(powers: Powers) -> bool:
    """Whether that is an amount of money, of whatever currency."""
    return len(powers) == 1 and powers[0][1] == 1 and _CURRENCY.fullmatch(powers[0][0]) is not None


@lru_cache(maxsize=1024)
def measure(text: str) -> Measure:
    """Understand a unit. Raises ``ValueError`` for what is none."""
    plain = text.strip()
    if plain in _ZEROS:
        factor, powers = _WHOLE[plain]
        return Measure(Fraction(factor), _sorted(powers), _ZEROS[plain])
    if len(plain) > _MOST:
        raise ValueError(f"a unit of {len(plain)} letters is none")
    top, *below = plain.split("/")
    found = _product(top, text)
    for part in below:
        if not part.strip():
            raise _strange(text)
        found = found.over(_product(part, text))
    return found


def _product(text: str, whole: str) -> Measure:
    found = Measure(Fraction(1), ())
    for term in re.split(r"\s*(?:(?<!\*)\*(?!\*)|·|\s)\s*", text.strip()):
        match = _TERM.fullmatch(term)
        if match is None:
            raise _strange(whole)
        symbol, raised = match["symbol"], match["power"]
        if raised is not None and symbol + raised in _WHOLE:
            symbol, raised = symbol + raised, None
        if raised is not None and not symbol:
            raise _strange(whole)
        one = _symbol(symbol, whole)
        power = 1 if raised is None else _power(raised, whole)
        powers = tuple((name, exponent * power) for name, exponent in one.powers)
        found = Measure(found.factor * one.factor**power, _joined(found.powers, powers, 1))
    return found


def _power(raised: str, whole: str) -> int:
    try:
        power = int(raised.translate(_RAISED))
    except ValueError:
        raise _strange(whole) from None
    if not 0 < abs(power) < 10:  # noqa: PLR2004
        raise _strange(whole)
    return power


@lru_cache(maxsize=1024)
def _symbol(symbol: str, whole: str) -> Measure:
    for text, scale in _readings(symbol):
        if text in _SCALED:
            factor, powers = _SCALED[text]
            return Measure(scale * Fraction(factor), _sorted(powers))
    if symbol in _WHOLE:
        factor, powers = _WHOLE[symbol]
        return Measure(Fraction(factor), _sorted(powers))
    paid = _CURRENCY.fullmatch(symbol)
    if paid and symbol.lower() not in _FOLDED:
        scale = _PREFIXES.get(symbol[: -len(paid["code"])], Fraction(1))
        return Measure(scale, ((paid["code"], 1),))
    raise _strange(whole)


def _readings(symbol: str) -> list[tuple[str, Fraction]]:
    """What a symbol can be without its prefix; what is a word of its own has none."""
    plain = [(symbol, Fraction(1))]
    if symbol in _WHOLE or symbol in _SCALED:
        return plain
    prefixed = symbol[1:] and symbol[0] in _PREFIXES
    return [*plain, (symbol[1:], _PREFIXES[symbol[0]])] if prefixed else plain


def _sorted(powers: Mapping[str, int]) -> Powers:
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _joined(one: Powers, other: Powers, sign: int) -> Powers:
    total = dict(one)
    for name, power in other:
        total[name] = total.get(name, 0) + sign * power
    return _sorted(total)


def _strange(text: str) -> ValueError:
    return ValueError(f"unknown unit {text!r}; write it as kW, kWh, EUR/MWh, m³/h, °C or %")
