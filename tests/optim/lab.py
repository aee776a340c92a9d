"""The second file of solved cases (sensors by id, stored and sent apart) in the golden format."""

from typing import Any

Case = dict[str, Any]


def convertible(lab: Case) -> bool:
    """Storage problems that FlexMeasures solved, told with all their sensors."""
    return lab["scheduler"] == "StorageScheduler" and bool(lab.get("commitment_costs"))


def failed(lab: Case) -> bool:
    """Problems that FlexMeasures gave up on."""
    return bool(lab.get("error"))


def a_process(lab: Case) -> bool:
    """Tasks that are placed by their prices alone."""
    return bool(lab["scheduler"] == "ProcessScheduler")


def golden_format(lab: Case) -> Case:
    """The problem, with FlexMeasures' outputs and costs beside it."""
    sensors, series = {}, {}
    for key, one in lab["sensors"].items():
        step = f"PT{one['resolution_s']}S"
        sensors[key] = {"unit": one["unit"], "resolution": step, "asset": one.get("asset")}
        if one.get("values"):
            first = one["values"][0][0]
            series[key] = {"start": first, "resolution": step, "unit": one["unit"],
                           "values": [value for _, value in one["values"]]}  # fmt: skip
    results = lab.get("results", [])
    for one in results:  # those that were only written to are not listed
        if one.get("sensor_id") is not None and one.get("unit"):
            # storage-efficiency refers to the quarter of an hour of these sensors
            new = {"unit": one["unit"], "resolution": "PT15M"}
            sensors.setdefault(str(one["sensor_id"]), new)
    if lab["target"]["kind"] == "sensor":
        power = {"unit": "kW", "resolution": _iso(lab["resolution"]),
                 "asset-type": "process" if a_process(lab) else "battery"}  # fmt: skip
        sensors.setdefault(str(lab["target"]["id"]), power)
    request = {
        "start": lab["start"], "duration": _iso(lab["duration"]),
        "flex-model": _models(lab), "flex-context": _context(lab),
    }  # fmt: skip
    if a_process(lab):
        request["flex-model"] = {**lab["flex_model"], "sensor": str(lab["target"]["id"])}
    case = {"sensors": sensors, "series": series, "level": "asset", "request": request}
    if lab["resolution"]:
        case["scheduling-resolution"] = _iso(lab["resolution"])
    outputs = {_name(one["sensor_id"]): _output(one, lab) for one in results
               if one.get("sensor_id") is not None and "values" in one}  # fmt: skip
    return {**case, "outputs": outputs, "costs": lab.get("commitment_costs", {})}


def _iso(text: str) -> str:
    return f"PT{text.upper().replace('MIN', 'M')}"


def _name(raw: Any) -> str:
    return str(raw)


def _named(raw: Any) -> Any:
    """Ids of sensors as names, wherever they stand."""
    if isinstance(raw, list):
        return [_named(one) for one in raw]
    if isinstance(raw, dict):
        return {key: _name(one) if key == "sensor" else _named(one) for key, one in raw.items()}
    return raw


def _models(lab: Case) -> list[Case]:
    sent = lab["flex_model"]
    every = [dict(one) for one in (sent if isinstance(sent, list) else [sent])]
    if not isinstance(sent, list) and "sensor" not in every[0]:
        every[0]["sensor"] = lab["target"]["id"]
    used = set()
    for i, one in enumerate(every):
        for key, kept in (lab.get("stored_flex_models") or {}).items():
            if one.get("sensor") in kept["sensors"] or str(one.get("asset")) == key:
                every[i] = {**kept["flex_model"], **one}
                used.add(key)
    if lab["target"]["kind"] == "asset":
        for key, kept in (lab.get("stored_flex_models") or {}).items():
            if key not in used and kept["flex_model"]:
                every.insert(0, {"asset": key, **kept["flex_model"]})
    return list(_named(every))


def _context(lab: Case) -> Any:
    sent, kept = lab["flex_context"], lab.get("stored_flex_context") or {}
    if isinstance(sent, list):
        return _named(sent)
    old = {"inflexible-device-sensors", "inflexible-consumption", "inflexible-production"}
    if old & sent.keys():
        kept = {key: value for key, value in kept.items() if key not in old}
    return _named({**kept, **sent})


def _output(one: Case, lab: Case) -> Case:
    unit = one.get("unit") or lab["sensors"].get(str(one["sensor_id"]), {"unit": "kW"})["unit"]
    return {"start": one["first"], "resolution": f"PT{one['step_s']}S", "unit": unit,
            "sign": "consumption-positive", "values": one["values"]}  # fmt: skip
