"""JSON Schemas (2020-12) of what installers write, for editors that complete and check."""

from typing import Any

from pydantic import BaseModel

from flexedge.config.profile import ProfileFile
from flexedge.config.settings import Settings
from flexedge.config.site import Site

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def site_schema() -> dict[str, Any]:
    """Of a site file."""
    return _schema(Site, "flexedge site")


def settings_schema() -> dict[str, Any]:
    """Of the settings file."""
    return _schema(Settings, "flexedge settings")


def profile_schema() -> dict[str, Any]:
    """Of a device profile."""
    schema = _schema(ProfileFile, "flexedge device profile")
    inner = schema.pop("properties")["file"]
    for key in ("type", "required", "additionalProperties", "description"):
        schema.pop(key, None)
    return schema | {key: value for key, value in inner.items() if key != "title"}


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": _DIALECT, **schema, "title": title}
