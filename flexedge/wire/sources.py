"""Sources as FlexMeasures writes them."""

from typing import Any

from flexedge.wire.assets import Query
from flexedge.wire.shape import Told


class SourcesAsked(Query):
    """Which sources are told."""

    only_latest: bool = True
    """Of sources that differ in nothing but their version only that with the highest one."""


class SourceTold(Told):
    """Who says so. What a source lacks is left out."""

    id: int
    name: str
    type: str
    description: str
    model: str | None = None
    version: str | None = None
    account_id: int | None = None
    user_id: int | None = None


class SourcesTold(Told):
    """The sources, and the types that sources have."""

    types: list[str]
    sources: list[dict[str, Any]]
    """``SourceTold`` without what a source lacks."""
    status: int = 200
