"""JSON that is kept by the thousand: pressed together, as text."""

import base64
import json
import zlib
from typing import Any


def pack(value: Any) -> str:
    """A text that says the same in less room."""
    said = json.dumps(value, separators=(",", ":")).encode()
    return base64.b85encode(zlib.compress(said, 3)).decode("ascii")


def unpack(text: str) -> Any:
    """What was packed."""
    return json.loads(zlib.decompress(base64.b85decode(text)))
