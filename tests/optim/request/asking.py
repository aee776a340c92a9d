"""Short problem files: one hour steps from midnight, a battery, prices."""

from datetime import timedelta
from typing import Any

from flexedge.optim.request.fields import Fields
from flexedge.optim.request.site import Asked, read
from flexedge.optim.request.solve import solve_file

Json = dict[str, Any]
START = "2026-11-24T00:00:00+01:00"
LIMIT = timedelta(seconds=20)
PRICE = {"consumption-price": "0.30 EUR/kWh", "production-price": "0.10 EUR/kWh"}
BATTERY = {"sensor": "battery", "soc-at-start": "5 kWh", "soc-max": "10 kWh",
           "power-capacity": "2 kW"}  # fmt: skip


def at(hour: float) -> str:
    """A moment of the first day."""
    minutes = round(hour * 60)
    return f"2026-11-24T{minutes // 60:02d}:{minutes % 60:02d}:00+01:00"


def series(*values: float | None, unit: str = "kW", resolution: str = "PT1H") -> Json:
    """Stored values from midnight on."""
    return {"start": START, "resolution": resolution, "unit": unit, "values": list(values)}


def problem(
    model: Any, context: Any = None, *, hours: int = 4, stored: Json | None = None, **more: Any
) -> Json:
    """A file; every sensor that has data or is scheduled in it is one of kW and an hour."""
    data = stored or {}
    names = {"battery", "pv", "car", "boiler", "inverter", "out", "out2", *data}
    sensors = {name: {"unit": data.get(name, {}).get("unit", "kW"), "resolution": "PT1H"}
               for name in sorted(names)}  # fmt: skip
    sensors["soc"] = {"unit": "kWh", "resolution": "PT0M", "on": "battery"}
    sensors |= more.pop("sensors", {})
    return {
        "sensors": sensors,
        "series": data,
        "level": more.pop("level", "asset"),
        "request": {
            "start": START, "duration": f"PT{hours}H", "flex-model": model,
            "flex-context": PRICE if context is None else context, **more.pop("request", {}),
        },
        **more,
    }  # fmt: skip


def asked(model: Any, context: Any = None, compat: str | None = None, **more: Any) -> Asked:
    """What is read from such a file."""
    return read(Fields(problem(model, context, **more), ""), compat)


def answer(model: Any, context: Any = None, compat: str | None = None, **more: Any) -> Json:
    """The answer to such a file."""
    return solve_file(problem(model, context, **more), LIMIT, compat=compat)
