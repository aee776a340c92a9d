"""Edits laid over a site file, and the site that comes of it: checked as if they stood in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from flexedge.config.case import Case
from flexedge.config.check import LoadedSite, one_currency
from flexedge.config.editable import beyond
from flexedge.config.load import Document, Place, Route
from flexedge.config.rules import RULES
from flexedge.config.validate import validate
from flexedge.domain.context import FlexContext
from flexedge.domain.flex import FlexModel
from flexedge.errors import ConfigError, Problem

Json = Mapping[str, Any]
_M = TypeVar("_M", bound=BaseModel)
_CONTEXT: Final = ("flex-context",)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Fields that take the place of the site file's, as that would say them: sensors by name."""

    models: Mapping[str, Json] = field(default_factory=dict)
    """Of flex-models, by the names of assets."""
    context: Json = field(default_factory=dict)
    """Of the flex-context."""


def overlaid(loaded: LoadedSite, overlay: Overlay) -> LoadedSite:
    """The site with edits laid over it.

    Raises ``ConfigError`` with every problem: what the site file would be refused for, and what
    goes beyond it (``editable``). Each has the keys that lead to it as its file.
    """
    site, problems = loaded.site, list[Problem]()
    assets = dict(site.assets)
    for name, fields in overlay.models.items():
        route = ("assets", name, "flex-model")
        if name not in assets:
            problems.append(Problem(_path(route), None, None, "there is no such asset any more"))
            continue
        try:
            model = _laid(assets[name].flex_model, fields, FlexModel, route)
            assets[name] = assets[name].model_copy(update={"flex_model": model})
        except ConfigError as error:
            problems += error.problems
    context = site.flex_context
    try:
        context = _laid(context, overlay.context, FlexContext, _CONTEXT)
    except ConfigError as error:
        problems += error.problems
    edited = site.model_copy(update={"assets": assets, "flex_context": context})
    problems += _complaints(loaded, edited)
    if problems:
        raise ConfigError(problems)
    return replace(loaded, site=edited)


def words(error: ConfigError) -> str:
    """What is wrong and what would be right, in one line."""
    return "; ".join(f"{one.file}: {one.message}" for one in error.problems)


def _laid(record: _M, fields: Json, model: type[_M], route: Route) -> _M:
    if not fields:
        return record
    said = record.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return validate(_document({**said, **fields}, route), model)


def _document(data: Any, route: Route) -> Document:
    """Values that no file contains: the place of each is called by the keys that lead there."""
    places = {one: Place(_path((*route, *one))) for one in _routes(data, ())}
    return Document(_path(route), data, places, places)


def _routes(data: Any, route: Route) -> Iterator[Route]:
    yield route
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(data, dict):
        pairs = data.items()
    elif isinstance(data, list):
        pairs = enumerate(data)
    for key, value in pairs:
        yield from _routes(value, (*route, key))


def _path(route: Route) -> str:
    return ".".join(str(step) for step in route)


def _complaints(loaded: LoadedSite, edited: Any) -> Iterator[Problem]:
    case = Case(edited, loaded.profiles, loaded.sensors)
    found = [complaint for rule in RULES for complaint in rule(case)]
    found += one_currency(edited, loaded.currency)
    found += beyond(loaded.site, edited)
    for route, message in found:
        yield Problem(_path(route), None, None, message)
