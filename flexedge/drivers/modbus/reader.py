"""Reads the points of one device through as few requests as possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flexedge.config.profile import WORDS, ModbusPoint, ModbusProfile, Register
from flexedge.drivers.meaning import MISSING, Judged
from flexedge.drivers.modbus import codec
from flexedge.drivers.modbus.blocks import Block, Rules, Span, plan, split
from flexedge.drivers.modbus.client import IllegalAddress, ModbusClient
from flexedge.errors import DeviceGarbled, DeviceRefused

_Words = dict[Span, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number and its exponent lie in this device."""

    address: int
    exponent: int | None


def locate(register: Register, exponent: int | None, models: Mapping[int, int]) -> Place | None:
    """The place of a register; None where the device lacks its SunSpec model."""
    if register.sunspec is None:
        return None if register.address is None else Place(register.address, exponent)
    start = models.get(register.sunspec)
    if start is None:
        return None
    return Place(start + (register.offset or 0), None if exponent is None else start + exponent)


class Reader:
    """The points of one device on one connection, and what the device turned out to refuse."""

    def __init__(
        self, name: str, profile: ModbusProfile, models: Mapping[int, int], client: ModbusClient
    ) -> None:
        """Raises ``DeviceGarbled`` naming the SunSpec model a point that must be there needs."""
        self._name = name
        self._points = profile.points
        self._client = client
        connection = profile.connection
        self._rules = Rules(connection.max_block, connection.never_across)
        self._places = _places(name, profile.points, models)
        self._blocks: dict[tuple[str, ...], tuple[Block, ...]] = {}
        self._absent: set[Span] = set()

    def read(self, points: Sequence[str]) -> dict[str, Judged]:
        """What each point's number says; optional ones the device does not have are left out.

        Raises ``DeviceRefused`` when the device refuses all of them, and what the client raises.
        """
        wanted = [name for name in points if name in self._places]
        key = tuple(wanted)
        if key not in self._blocks:
            spans = [span for name in wanted for span in self._spans(name)]
            self._blocks[key] = plan(spans, self._rules)
        words: _Words = {}
        kept: list[Block] = []
        refusals: list[DeviceRefused] = []
        for block in self._blocks[key]:
            kept += self._fetch(block, words, refusals)
        self._blocks[key] = tuple(kept)
        if refusals and not words:
            raise refusals[0]
        return {
            name: self._judged(name, words)
            for name in wanted
            if self._absent.isdisjoint(self._spans(name))
        }

    def _fetch(self, block: Block, words: _Words, refusals: list[DeviceRefused]) -> list[Block]:
        """Read a block into ``words``; the blocks to read instead from now on."""
        try:
            answer = self._client.read(block.table, block.address, block.count)
        except IllegalAddress as refusal:
            parts = split(block)
            if parts:
                return [kept for part in parts for kept in self._fetch(part, words, refusals)]
            if all(self._optional(span) for span in block.spans):
                self._absent.update(block.spans)
                return []
            refusals.append(refusal)
            return [block]
        except DeviceRefused as refusal:
            refusals.append(refusal)
            return [block]
        for span in block.spans:
            start = span.address - block.address
            words[span] = answer[start : start + span.count]
        return [block]

    def _spans(self, name: str) -> list[Span]:
        point, place = self._points[name], self._places[name]
        own = Span(point.table, place.address, WORDS[point.type], point.only_read_alone)
        if place.exponent is None:
            return [own]
        return [own, Span(point.table, place.exponent, 1, point.only_read_alone)]

    def _optional(self, span: Span) -> bool:
        users = [name for name in self._places if span in self._spans(name)]
        return all(self._points[name].optional for name in users)

    def _judged(self, name: str, words: _Words) -> Judged:
        spans = self._spans(name)
        if any(span not in words for span in spans):
            return MISSING
        exponent = words[spans[1]][0] if len(spans) > 1 else None
        return codec.decode(self._points[name], words[spans[0]], exponent)


def _places(
    device: str, points: Mapping[str, ModbusPoint], models: Mapping[int, int]
) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for name, point in points.items():
        place = locate(point, point.exponent, models)
        if place is not None:
            places[name] = place
        elif not point.optional:
            raise DeviceGarbled(device, f"has no SunSpec model {point.sunspec}, needed for {name}")
    return places
