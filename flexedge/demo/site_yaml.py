"""The files the daemon starts from: site.yaml as an installer would write it, and the prices."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexedge.demo import place
from flexedge.demo.battery import CAPACITY_KWH as BATTERY_KWH
from flexedge.demo.battery import POWER_KW as BATTERY_KW
from flexedge.demo.charger import CAPACITY_KWH as CAR_KWH
from flexedge.demo.charger import EFFICIENCY as CAR_EFFICIENCY
from flexedge.demo.goe import SERIAL, SOC_TOPIC
from flexedge.demo.heating import LEAST_C, MOST_C, MOST_KW, VOLUME_L, cop
from flexedge.demo.market import FEED_IN_EUR_PER_KWH, hourly_prices
from flexedge.demo.outside import Outside
from flexedge.demo.solar import PEAK_KW

_USUAL_BUFFER_C = 45.0
_QUARTER_S = 900
_DAY_S = 86400
_HEAT_LOST_PER_QUARTER = 0.0008

_TEMPLATE = """\
# The simulated site of `flexedge demo`, as an installer would write it.
site:
  name: {name}
  timezone: {timezone}
  location: {{latitude: {latitude}, longitude: {longitude}}}

prices:
  import: {{file: {prices}, unit: EUR/kWh}}
  feed-in: {{fixed: {feed_in} EUR/kWh}}

brokers:
  local: {{host: 127.0.0.1, port: {broker}}}

devices:
  hybrid: {{profile: foxess-h3, host: 127.0.0.1, port: {battery}}}
  inverter: {{profile: sunspec-pv, host: 127.0.0.1, port: {solar}}}
  meter: {{profile: eastron-sdm630, host: 127.0.0.1, port: {meter}}}
  heat-pump: {{profile: lambda-heat-pump, host: 127.0.0.1, port: {heating}}}
  charger:
    profile: go-e-charger
    broker: local
    options: {{serial: "{serial}", soc-topic: {soc_topic}}}

grid-connection:
  device: meter

assets:
  battery:
    type: battery
    device: hybrid
    flex-model:
      power-capacity: {battery_kw:g} kW
      state-of-charge: {{sensor: battery.soc}}
      soc-min: 0 kWh
      soc-max: {battery_kwh:g} kWh
      roundtrip-efficiency: 92%
  solar:
    type: solar
    device: inverter
    flex-model:
      power-capacity: {peak_kw:g} kW
      consumption-capacity: 0 kW
      production-capacity: {{sensor: solar.power}}
  car:
    type: one-way_evse
    device: charger
    flex-model:
      power-capacity: 11.04 kW
      production-capacity: 0 kW
      state-of-charge: {{sensor: car.soc}}
      soc-min: 0 kWh
      soc-max: {car_kwh:g} kWh
      charging-efficiency: {car_efficiency:.0%}
    ready-by:
      - {{time: "07:00", soc: {ready_kwh:g} kWh, days: [mon, tue, wed, thu, fri]}}
  heating:
    type: heat-storage
    device: heat-pump
    flex-model:
      power-capacity: {heating_kw:g} kW
      production-capacity: 0 kW
      charging-efficiency: {cop:.0%}
      storage-efficiency: {heat_kept:.2%}
      soc-usage:
        - {{sensor: heating.heat-demand, default: {heat_kw:.2f} kW}}
    heat-buffer: {{volume: {volume_l:g} l, min: {least_c:g} degC, max: {most_c:g} degC}}
  house:
    type: building
    remainder: true

flex-context:
  consumption-price: {{sensor: import}}
  production-price: {{sensor: feed-in}}
  site-consumption-capacity: {limit_kw:g} kW
  inflexible-consumption:
    - {{sensor: house.power, default: 0.5 kW}}
"""


def price_csv(seed: int, start: float, days: float) -> str:
    """The prices from the day before ``start`` until two days after the end, as CSV."""
    first = datetime.fromtimestamp(start, UTC).astimezone(place.ZONE).date() - timedelta(days=1)
    last = first + timedelta(days=int(days) + 4)
    rows = hourly_prices(seed, first, last, place.ZONE)
    return "start,value\n" + "".join(f"{hour.isoformat()},{price}\n" for hour, price in rows)


def _usual_heat(seed: int, start: float) -> tuple[float, float]:
    """The mean heat demand (kW) and COP of the first day: what an installer would estimate."""
    outside = Outside(seed)
    moments = [outside.at(start + i * _QUARTER_S) for i in range(_DAY_S // _QUARTER_S)]
    demand = sum(moment.heat_kw for moment in moments) / len(moments)
    performance = sum(cop(moment.outdoor_c, _USUAL_BUFFER_C) for moment in moments) / len(moments)
    return demand, performance


def site_yaml(seed: int, start: float, ports: Mapping[str, int], prices: Path) -> str:
    """The site file; ``ports`` by device (battery, solar, meter, heating, broker)."""
    heat_kw, performance = _usual_heat(seed, start)
    return _TEMPLATE.format(
        **ports,
        name=place.NAME,
        timezone=place.TIMEZONE,
        latitude=place.LATITUDE,
        longitude=place.LONGITUDE,
        prices=json.dumps(str(prices)),
        feed_in=FEED_IN_EUR_PER_KWH,
        serial=SERIAL,
        soc_topic=SOC_TOPIC,
        battery_kw=BATTERY_KW,
        battery_kwh=BATTERY_KWH,
        peak_kw=PEAK_KW,
        car_kwh=CAR_KWH,
        car_efficiency=CAR_EFFICIENCY,
        ready_kwh=place.READY_KWH,
        heating_kw=MOST_KW,
        cop=performance,
        heat_kept=1.0 - _HEAT_LOST_PER_QUARTER,
        heat_kw=heat_kw,
        volume_l=VOLUME_L,
        least_c=LEAST_C,
        most_c=MOST_C,
        limit_kw=place.LIMIT_KW,
    )


def write_site(
    folder: Path, seed: int, start: float, days: float, ports: Mapping[str, int]
) -> Path:
    """Write site.yaml and prices.csv into ``folder``; returns the path of the former."""
    prices = folder / "prices.csv"
    prices.write_text(price_csv(seed, start, days), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(site_yaml(seed, start, ports, prices.resolve()), encoding="utf-8")
    return path
