"""Where the simulated site stands, how it is connected, and what its people expect."""

from zoneinfo import ZoneInfo

NAME = "Demo house"
TIMEZONE = "Europe/Amsterdam"
ZONE = ZoneInfo(TIMEZONE)
LATITUDE = 52.37
LONGITUDE = 4.90
LIMIT_KW = 15.0
"""Agreed limit of net consumption."""
READY_KWH = 45.0
"""What the car shall hold when it leaves for work."""
