"""The catalogue, every profile of it, and what is refused in one's own."""

from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.config.profile import ModbusProfile, MqttProfile
from flexedge.config.profiles import catalogue, load_profile, options, points_of, profiles_in
from flexedge.config.site import Device
from flexedge.domain.units import parse_unit
from flexedge.errors import ConfigError

SHIPPED = sorted(catalogue())


def test_the_first_profiles_are_there() -> None:
    assert SHIPPED == [
        "eastron-sdm630",
        "foxess-h3",
        "go-e-charger",
        "lambda-heat-pump",
        "shelly-gen2-switch",
        "sunspec-pv",
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_is_whole(name: str) -> None:
    profile = load_profile(catalogue()[name])
    assert profile.profile == name
    assert profile.provides
    assert profile.source
    assert profile.requires
    assert all("en" in text for text in profile.requires)
    for point in profile.points.values():
        parse_unit(point.unit)
        assert point.every > timedelta(0)
    for control in profile.control.values():
        assert control.release
        assert control.refresh >= timedelta(seconds=10)
        if control.device_timeout is not None:
            assert control.refresh <= control.device_timeout / 2
        readback = profile.points[control.readback]
        assert readback.sensor_unit in ("kW", "")
        assert readback.every <= control.settle


@pytest.mark.parametrize("name", SHIPPED)
def test_the_readback_undoes_the_setpoint(name: str) -> None:
    """What a setpoint of 1 kW writes, the read-back reads as 1 kW."""
    profile = load_profile(catalogue()[name])
    for control in profile.control.values():
        readback = profile.points[control.readback]
        for write in control.write:
            if write.setpoint is None:
                continue
            written_to_kw = write.setpoint.scale * (
                0.01
                if write.setpoint.relative_to
                else control.amps.kw_per_ampere
                if write.setpoint.unit == "A" and control.amps is not None
                else parse_unit(write.setpoint.unit).factor
            )
            assert readback.factor == pytest.approx(written_to_kw)
            assert readback.relative_to == write.setpoint.relative_to


@pytest.mark.parametrize("name", SHIPPED)
def test_the_readback_reads_what_was_written(name: str) -> None:
    profile = load_profile(catalogue()[name])
    if not isinstance(profile, ModbusProfile):
        return
    for control in profile.control.values():
        readback = profile.points[control.readback]
        (write,) = [write for write in control.write if write.setpoint is not None]
        same = ("table", "address", "sunspec", "offset", "type", "word_order", "exponent")
        assert [getattr(readback, part) for part in same] == [getattr(write, part) for part in same]


def test_the_shipped_profiles_turn_signs_as_their_vendors_write_them() -> None:
    """Known facts: raw 1000 of each device, as kW consumed."""
    facts = {
        ("foxess-h3", "battery.power"): -1.0,  # discharging is positive
        ("sunspec-pv", "pv.power"): -1.0,  # producing is positive
        ("eastron-sdm630", "grid.power"): 1.0,  # importing is positive
        ("lambda-heat-pump", "heat-pump.power"): 1.0,
        ("go-e-charger", "ev.power"): 1.0,
    }
    for (name, point), kw in facts.items():
        assert load_profile(catalogue()[name]).points[point].factor * 1000 == kw


def test_sunspec_offsets_hold_what_their_models_say() -> None:
    """Offsets of W, W_SF, WH, WH_SF, St; WRtg, WRtg_SF; WMaxLimPct and its scale factor."""
    profile = load_profile(catalogue()["sunspec-pv"])
    assert isinstance(profile, ModbusProfile)
    places = {
        name: (point.sunspec, point.offset, point.exponent)
        for name, point in profile.points.items()
    }
    assert places == {
        "pv.power": (103, 14, 15),
        "pv.energy": (103, 24, 26),
        "pv.state": (103, 38, None),
        "pv.rated": (120, 3, 4),
        "pv.limit": (123, 5, 23),
        "pv.limit-active": (123, 9, None),
    }


def test_options_decide_which_points_there_are() -> None:
    profile = load_profile(catalogue()["go-e-charger"])
    plain = Device(profile="go-e-charger", options={"serial": "012345"})
    assert options(profile, plain) == {"serial": "012345", "phases": 3}
    assert "ev.soc" not in points_of(profile, plain)
    told = Device(profile="go-e-charger", options={"serial": "1", "soc-topic": "car/soc"})
    assert "ev.soc" in points_of(profile, told)
    meter = load_profile(catalogue()["eastron-sdm630"])
    assert points_of(meter, Device(profile="eastron-sdm630")) == tuple(meter.points)


def test_own_profiles_stand_before_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "foxess-h3.yaml"
    own.write_text("")
    (tmp_path / "notes.txt").write_text("")
    found = profiles_in([tmp_path])
    assert found["foxess-h3"] == own
    assert set(found) == set(SHIPPED)
    with pytest.raises(ConfigError, match="the folder of profiles cannot be read"):
        profiles_in([tmp_path / "none"])


MODBUS = """\
profile: acme
title: Acme
driver: modbus
provides: [battery]
points:
  battery.power: {address: 1, unit: W}
  battery.soc: {address: 2, unit: "%"}
control:
  battery.power:
    write: [{address: 3, setpoint: {unit: W}}]
    release: [{address: 3, value: 0}]
    readback: battery.power
source: a document
"""
MQTT = """\
profile: acme
title: Acme
driver: mqtt
provides: [ev]
options: {id: {help: number, required: true}, extra: {help: more}}
points:
  ev.power: {topic: "a/{id}/w", unit: W}
  ev.soc: {topic: "{extra}", unit: "%", optional: true}
control:
  ev.power:
    amps: {}
    write: [{topic: "a/{id}/set", setpoint: {unit: A}}]
    release: [{topic: "a/{id}/set", value: 0}]
    readback: ev.power
source: a document
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (MODBUS, "profile: acme", "profile: other",
         "1:10: 'other' should be named as its file: 'acme'"),
        (MODBUS, "[battery]", "[battery, pv]",
         "4:21: provides pv, but there is no point pv.power"),
        (MODBUS, "battery.soc:", "batery.soc:",
         "7:3: unknown role 'batery'; did you mean 'battery'?"),
        (MODBUS, "readback: battery.power", "readback: battery.pwr",
         "12:15: there is no point battery.pwr; did you mean 'battery.power'?"),
        (MODBUS, "readback: battery.power", "readback: battery.soc",
         '12:15: battery.soc is in %: a power is needed, or unit ""'),
        (MODBUS, "{unit: W}}", "{unit: A}}",
         "10:13: a setpoint in A needs amps beside write, to know volts and phases"),
        (MODBUS, "{unit: W}}", '{unit: "%", relative-to: battery.max}}',
         "10:61: there is no point battery.max; did you mean 'battery.soc'?"),
        (MODBUS, "{unit: W}}", '{unit: "%", relative-to: battery.soc}}',
         "10:61: battery.soc should be a power that is read as such"),
        (MODBUS, "value: 0", "setpoint: {}", "11:15: release writes constants only: give value"),
        (MODBUS, "  battery.power:\n    write", "  battery.soc:\n    write",
         "9:3: only a power is controlled, and of what the profile provides: not battery.soc"),
        (MODBUS, 'unit: "%"', 'unit: "%", zero-when: {battery.of: 1}',
         "7:64: there is no point battery.of; did you mean 'battery.soc'?"),
        (MODBUS, 'unit: "%"', "unit: kWh, turns-at: 100",
         "7:50: turns-at is for counters; a soc is what is stored"),
        (MODBUS, 'unit: "%"', 'unit: "%", turns-at: 100',
         "7:3: turns-at is for what counts energy, in kWh or Wh"),
        (MODBUS, 'unit: "%"', "unit: kWh, turns-at: -1", "7:50: should be more than 0, not -1"),
        (MODBUS, "[{address: 3, value: 0}]", "[]", "11:5: should not be empty"),
        (MQTT, "a/{id}/w", "a/{di}/w", "7:21: there is no option 'di'; known: extra, id"),
        (MQTT, "a/{id}/w", "a/{extra}/w",
         "7:21: option 'extra' may be left out: make it required or give a default"),
        (MQTT, "setpoint: {unit: A}", "setpoint: {unit: A}, topic: x",
         "12:56: duplicate key 'topic': it stands in line 12 already"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_profile_is_one_line(
    tmp_path: Path, text: str, old: str, new: str, said: str
) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    assert isinstance(load_profile(path), ModbusProfile | MqttProfile)
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_profile(path)
    assert str(caught.value) == f"{path}:{said}"


def test_the_profile_in_the_installers_guide_is_valid(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "installers.md").read_text(encoding="utf-8")
    block = guide.split("```yaml\nprofile:")[1].split("```")[0]
    path = tmp_path / "acme-hybrid.yaml"
    path.write_text(f"profile:{block}", encoding="utf-8")
    assert load_profile(path).provides == ("battery",)


def test_the_installers_guide_lists_every_shipped_profile() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "installers.md").read_text(encoding="utf-8")
    assert [name for name in SHIPPED if f"| `{name}` |" not in guide] == []
