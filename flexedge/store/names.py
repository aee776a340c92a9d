"""Which number has which name, in the registry and in the archive, so that both say the same."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from flexedge.domain.asset import Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.archive import Archive, Asked, Kind, Registry
from flexedge.store.words import sensor_of, sensor_words, source_words


class Names:
    """Gives numbers to sensors and sources, and introduces them to the archive.

    One at a time may use it; ``Beliefs`` sees to that. Raises ``StoreError``.
    """

    def __init__(self, archive: Archive, registry: Registry) -> None:
        self._archive = archive
        self._registry = registry
        for kind in ("sensor", "source"):
            for number, words in archive.known(kind).items():
                registry.reinstate(kind, number, words)
        self._introduced = {kind: dict(archive.known(kind)) for kind in ("sensor", "source")}
        self.sensors = {one.name: number for number, one in registry.sensors().items()}
        """The numbers of sensors."""
        self._told = dict(_named(self._introduced["sensor"]))

    def register(self, sensor: Sensor) -> int:
        """The number of a sensor; see ``Beliefs``."""
        before = self.sensors.get(sensor.name)
        if before is not None:
            self._set_apart(before, sensor)
        number = self._registry.sensor_id(sensor)
        other = self._told.get(sensor.name, number)
        if other != number:  # it was deleted, and its name is given again
            self._introduce("sensor", other, sensor_words(self._registry.sensors()[other]))
        self._introduce("sensor", number, sensor_words(sensor))
        self._told[sensor.name] = number
        self.sensors[sensor.name] = number
        return number

    def source(self, source: Source) -> int:
        """The number of a source."""
        number = self._registry.source_id(source)
        self._introduce("source", number, source_words(source))
        return number

    def _introduce(self, kind: Kind, number: int, words: str) -> None:
        if self._introduced[kind].get(number) != words:
            self._archive.introduce(kind, number, words)
            self._introduced[kind][number] = words

    def _set_apart(self, number: int, sensor: Sensor) -> None:
        """Let values in another unit not be taken for ones in this."""
        known = self._registry.sensors()[number]
        if known.name != sensor.name or known.unit == sensor.unit:
            return
        if self._archive.statistics(Asked((number,))):
            apart = replace(known, name=f"{known.name} in {known.unit} ({number})")
            words = sensor_words(apart)
            self._introduce("sensor", number, words)  # first: in doubt the archive is right
            self._registry.reinstate("sensor", number, words)
            self.sensors[apart.name] = number


def _named(introduced: Mapping[int, str]) -> Iterator[tuple[str, int]]:
    """Names in words, and whose they are; what cannot be read any more has none."""
    for number, words in introduced.items():
        with contextlib.suppress(StoreError):
            yield sensor_of(words).name, number
