"""What is wrong with a request for a plan, in the words that FlexMeasures has for it."""

import re
from typing import Any

from flexedge.errors import BadField

_ENTRY = re.compile(r"^flex-(model|context)(\[\d+\])?\.")
_MOMENTS = ("start", "prior", "end")


def told(error: BadField) -> dict[str, Any]:
    """``message`` of a refusal (422): the place, the field and what is wrong with it.

    Fields of an entry of the flex-model are told by their own names, as FlexMeasures does it.
    """
    path, message = error.path, error.message
    if path in _MOMENTS and "date" in message + " date":
        if "should be" in message or "is not a date" in message or "no offset" in message:
            return {path: ["Not a valid aware datetime."]}
    if message.startswith("there is no such field"):
        message = "Unknown field." + message.removeprefix("there is no such field").replace(
            "; did", " Did"
        )
    return {"json": {_ENTRY.sub("", path): [message]}}
