"""What is wrong with a request for a plan, in the words that FlexMeasures has for it."""

import re
from typing import Any

from flexedge.errors import BadField

_ENTRY = re.compile(r"^flex-(model|context)(\[\d+\])?\.")
_MOMENTS = ("start", "prior", "end")
_NO_MOMENT = ("should be a date", "is not a date", "has no offset")


def told(error: BadField) -> dict[str, Any]:
    """``message`` of a refusal (422): the place, the field and what is wrong with it.

    Fields of an entry of the flex-model are told by their own names, as FlexMeasures does it.
    """
    path, message = error.path, error.message
    if path in _MOMENTS and any(words in message for words in _NO_MOMENT):
        return {path: ["Not a valid aware datetime."]}
    if message.startswith("there is no such field"):
        message = "Unknown field." + message.removeprefix("there is no such field").replace(
            "; did", " Did"
        )
    return {"json": {_ENTRY.sub("", path): [message]}}
