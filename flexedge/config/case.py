"""A site under examination, as every rule sees it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flexedge.config.load import Route
from flexedge.config.profile import Profile
from flexedge.config.sensors import SensorOrigin
from flexedge.config.site import Site

Found = Iterator[tuple[Route, str]]
"""Where something is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Case:
    """A site, with the profiles that could be read and the sensors they give."""

    site: Site
    profiles: Mapping[str, Profile]
    sensors: Mapping[str, SensorOrigin]

    def is_known(self, device: str | None) -> bool:
        """Whether the device's profile was read; complaints about others are made elsewhere."""
        return device is None or device in self.profiles
