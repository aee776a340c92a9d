"""Tags of what is answered (HTTP's ETag), so that nobody changes what they have not seen."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

from pydantic_core import to_json
from starlette.datastructures import Headers

from flexedge.web.api.op import Rejected, Reply

_CHANGED: Final = "It was changed since you read it: read it again, and change what it is now."


def content_of(body: Any) -> bytes:
    """What is sent for the body of a reply."""
    return body if isinstance(body, bytes) else to_json(body, inf_nan_mode="null", by_alias=True)


def tag_of(content: bytes) -> str:
    """The tag of what is sent."""
    return f'W/"{blake2b(content, digest_size=12).hexdigest()}"'


def has(asked: str, tag: str) -> bool:
    """Whether a header "If-Match" or "If-None-Match" names a tag."""
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def demand_seen(headers: Headers, shown: Callable[[], Reply]) -> None:
    """Refuse a change (412) by who sends "If-Match" and has seen something else than is shown."""
    asked = headers.get("if-match")
    if asked is not None and not has(asked, tag_of(content_of(shown().body))):
        raise Rejected(412, "PRECONDITION_FAILED", _CHANGED)
