"""Values and rules: stdlib, numpy and pydantic only.

Conventions, said once for the whole project:

- Power is in kW, stored energy in kWh, money in the site's currency, prices in currency per kWh,
  temperature in degrees Celsius, shares between 0 and 1. Names carry the unit.
- Consumption is positive, production negative, everywhere inside. The signs of devices are
  turned in their profiles (``scale``).
- Time is an aware ``datetime`` in UTC and marks the start of what it describes.
- Missing is ``None`` (NaN in arrays), never 0.
"""
