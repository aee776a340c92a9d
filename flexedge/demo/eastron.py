"""The grid meter's registers: those of an Eastron SDM630 (input registers, unit 1)."""

from collections.abc import Callable

from flexedge.demo.home import Home
from flexedge.demo.registers import READ_INPUT, Bank, Field

UNIT = 1
_SPANS = ((0, 382),)


def bank(home: Home) -> Bank:
    """Registers of the meter at the grid connection of ``home``."""

    def phase(number: int, what: Callable[[float], float]) -> Field:
        return Field("float32", lambda: what(home.phases_kw()[number]))

    def amps(kw: float) -> float:
        return abs(kw) * 1000.0 / home.volts(kw)

    fields: dict[int, Field] = {
        52: Field("float32", lambda: home.grid_kw * 1000.0),
        70: Field("float32", lambda: 50.0),
        72: Field("float32", lambda: home.import_kwh),
        74: Field("float32", lambda: home.export_kwh),
    }
    for number in range(3):
        fields[2 * number] = phase(number, home.volts)
        fields[6 + 2 * number] = phase(number, amps)
        fields[12 + 2 * number] = phase(number, lambda kw: kw * 1000.0)
    return Bank(UNIT, {READ_INPUT: fields}, _SPANS)
