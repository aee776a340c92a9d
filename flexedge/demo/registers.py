"""A device's registers: what stands where, worked out when asked for."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flexedge.demo.response import clip

Kind = Literal["int16", "uint16", "int32", "uint32", "float32"]
Write = Callable[[int, str], None]
"""Takes the raw number and who wrote it; raises ``Refusal``."""
_FORMATS: dict[Kind, str] = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f",
}  # fmt: skip
_RANGES: dict[Kind, tuple[int, int]] = {
    "int16": (-0x8000, 0x7FFF), "uint16": (0, 0xFFFF),
    "int32": (-0x80000000, 0x7FFFFFFF), "uint32": (0, 0xFFFFFFFF),
}  # fmt: skip
READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
_PLANS = 256
"""Different blocks a client reads before the plans are forgotten."""


class Refusal(Exception):
    """The device says no, with a Modbus exception code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}")


@dataclass(frozen=True, slots=True)
class Field:
    """One number. ``write`` None: read only."""

    kind: Kind
    read: Callable[[], float]
    write: Write | None = None
    only_many: bool = False
    """Function 16 only."""

    @property
    def size(self) -> int:
        """Bytes."""
        return struct.calcsize(_FORMATS[self.kind])

    def encode(self) -> bytes:
        """The bytes on the wire; a number that does not fit stands at its end of the range."""
        value = self.read()
        form = _FORMATS[self.kind]
        if self.kind == "float32":
            return struct.pack(form, value)
        return struct.pack(form, round(clip(value, *_RANGES[self.kind])))


class Bank:
    """The registers of one unit.

    ``tables`` maps the reading function (3, 4) to fields by address; ``spans`` are the addresses
    that exist: (first, count) each. What exists but holds no field reads as 0 and takes no write.
    """

    def __init__(
        self,
        unit: int,
        tables: Mapping[int, Mapping[int, Field]],
        spans: Sequence[tuple[int, int]],
        hang_up: Callable[[str], None] | None = None,
    ) -> None:
        self.unit = unit
        self.hang_up = hang_up
        """Called with who went away, when a connection ends."""
        self._tables = tables
        self._spans = spans
        self._plans: dict[tuple[int, int, int], list[tuple[int, Field]]] = {}

    def read(self, function: int, address: int, count: int) -> bytes:
        """The content of ``count`` registers, big-endian. Raises ``Refusal``."""
        key = (function, address, count)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(*key)
        size = count * 2
        block = bytearray(size)
        for offset, field in plan:
            content = field.encode()
            end = offset + len(content)
            if offset >= 0 and end <= size:
                block[offset:end] = content
            else:
                part = content[max(-offset, 0) : len(content) - max(end - size, 0)]
                begin = max(offset, 0)
                block[begin : begin + len(part)] = part
        return bytes(block)

    def _plan(self, function: int, address: int, count: int) -> list[tuple[int, Field]]:
        if function not in self._tables:
            raise Refusal(ILLEGAL_FUNCTION)
        self._exists(address, count)
        plan = [
            ((place - address) * 2, field)
            for place, field in self._tables[function].items()
            if place < address + count and place + field.size // 2 > address
        ]
        if len(self._plans) >= _PLANS:
            self._plans.clear()
        self._plans[function, address, count] = plan
        return plan

    def _exists(self, address: int, count: int) -> None:
        if not any(
            first <= address and address + count <= first + length for first, length in self._spans
        ):
            raise Refusal(ILLEGAL_ADDRESS)

    def write(self, function: int, address: int, content: bytes, peer: str) -> None:
        """Write whole fields, checked before the first one changes. Raises ``Refusal``."""
        fields = self._tables.get(READ_HOLDING, {})
        self._exists(address, len(content) // 2)
        todo: list[tuple[Write, int]] = []
        offset = 0
        while offset < len(content):
            field = fields.get(address + offset // 2)
            if field is None or field.write is None or offset + field.size > len(content):
                raise Refusal(ILLEGAL_ADDRESS)
            if field.only_many and function == WRITE_ONE:
                raise Refusal(ILLEGAL_FUNCTION)
            (number,) = struct.unpack_from(_FORMATS[field.kind], content, offset)
            todo.append((field.write, number))
            offset += field.size
        for write, number in todo:
            write(number, peer)


def constant(kind: Kind, value: int) -> Field:
    """A field that never changes."""
    return Field(kind, lambda: value)
