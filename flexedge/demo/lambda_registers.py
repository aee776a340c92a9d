"""The heat pump's registers: those of a Lambda (unit 1)."""

from collections.abc import Callable

from flexedge.demo.heating import HeatPump
from flexedge.demo.registers import READ_HOLDING, Bank, Field, constant

UNIT = 1
NO_WORD = -0x8000
"""Written as surplus: nobody asks for anything, the thermostat decides at once."""
_SPANS = ((0, 5), (100, 5), (1000, 26), (2000, 26), (3000, 6))
_FLOW_ABOVE_K = 4.0


def bank(pump: HeatPump, now: Callable[[], float]) -> Bank:
    """Registers in front of ``pump``; ``now`` is the site's clock in unix seconds."""

    def surplus(number: int, peer: str) -> None:
        pump.tell(None if number == NO_WORD else max(number, 0), now(), peer)

    def flow_c() -> float:
        return pump.buffer_c + (_FLOW_ABOVE_K if pump.compressor_kw else 0.0)

    def hang_up(peer: str) -> None:
        """Who asked for nothing and went away holds nothing."""
        if pump.written_by == peer and pump.surplus_w == 0:
            pump.surplus_w = None

    fields = {
        0: constant("uint16", 0),
        1: constant("uint16", 1),
        2: Field("int16", lambda: pump.outdoor_c * 10.0),
        102: Field("int16", lambda: pump.surplus_w or 0, surplus, only_many=True),
        1004: Field("int16", lambda: flow_c() * 100.0),
        1012: Field("int16", lambda: pump.power_kw * 1000.0),
        1013: Field("int16", lambda: pump.cop * 100.0),
        3002: Field("int16", lambda: pump.buffer_c * 10.0),
    }
    return Bank(UNIT, {READ_HOLDING: fields}, _SPANS, hang_up)
