"""The battery's registers: those of a FoxESS H3 hybrid inverter (unit 247)."""

from collections.abc import Callable

from flexedge.demo.battery import BACK_UP, CAPACITY_KWH, SELF_USE, Hybrid
from flexedge.demo.registers import ILLEGAL_VALUE, READ_HOLDING, Bank, Field, Refusal

UNIT = 247
_SPANS = ((31000, 60), (41000, 16), (44000, 8))


def bank(
    hybrid: Hybrid, phases_kw: Callable[[], tuple[float, float, float]], now: Callable[[], float]
) -> Bank:
    """Registers in front of ``hybrid``.

    ``phases_kw`` is what its own meter sees at the grid (+ imports), ``now`` the site's clock in
    unix seconds.
    """

    def exported(phase: int) -> Field:
        return Field("int16", lambda: -phases_kw()[phase] * 1000.0)

    def work_mode(number: int, _peer: str) -> None:
        if not SELF_USE <= number <= BACK_UP:
            raise Refusal(ILLEGAL_VALUE)
        hybrid.work_mode = number

    def remote(number: int, peer: str) -> None:
        if number not in (0, 1):
            raise Refusal(ILLEGAL_VALUE)
        hybrid.remote = bool(number)
        hybrid.touch(now(), peer)

    def timeout(number: int, peer: str) -> None:
        hybrid.timeout_s = number
        hybrid.touch(now(), peer)

    def setpoint(number: int, peer: str) -> None:
        hybrid.setpoint_w = number
        hybrid.touch(now(), peer)

    battery = hybrid.battery
    fields = {
        **{31026 + phase: exported(phase) for phase in range(3)},
        31036: Field("int16", lambda: -battery.power_kw * 1000.0),
        31038: Field("uint16", lambda: battery.soc_kwh / CAPACITY_KWH * 100.0),
        41000: Field("uint16", lambda: hybrid.work_mode, work_mode),
        44000: Field("uint16", lambda: hybrid.remote, remote),
        44001: Field("uint16", lambda: hybrid.timeout_s, timeout),
        44002: Field("int32", lambda: hybrid.setpoint_w, setpoint),
    }
    return Bank(UNIT, {READ_HOLDING: fields}, _SPANS)
