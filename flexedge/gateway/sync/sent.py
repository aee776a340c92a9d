"""What was sent to a centre of an asset's settings: kept with its link, to tell edits by.

Settings are flat here: "name", "flex_model.soc-min", "attributes.color"; what is empty or null is
not there. In the details of an asset's link are

- "ours": what the settings were here when they were sent, in the centre's numbers;
- "sent": what the centre showed after that. What it shows now and is not so in "sent" is an edit of
  the centre's; what is here now and is not so in "ours" has changed here;
- "refused": what the centre did not take, by setting, with what it said;
- "gone": since when the centre does not know the asset or sensor any more (ISO 8601).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flexedge.store.tables.centres import Link

FIELDS: Final = (
    "name", "description", "latitude", "longitude", "attributes", "flex_context", "flex_model",
    "sensors_to_show", "sensors_to_show_as_kpis",
)  # fmt: skip
"""Of assets, as FlexMeasures calls them."""
BY_KEY: Final = frozenset({"attributes", "flex_context", "flex_model"})
"""Of these each key is a setting of its own."""
_EMPTY: Final[Mapping[str, Any]] = {"sensors_to_show": [], "sensors_to_show_as_kpis": []}
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done about settings that changed here."""

    send: Settings
    """To be changed there; None: to be taken away."""
    there: tuple[str, ...]
    """As they shall be already."""
    edited: tuple[str, ...]
    """Edited there as well: they stay as they are."""


def flat(asset: Mapping[str, Any]) -> Settings:
    """The settings of an asset, each by itself."""
    found: dict[str, Any] = {}
    for field in FIELDS:
        value = asset.get(field)
        if field in BY_KEY and isinstance(value, Mapping):
            found |= {f"{field}.{key}": one for key, one in value.items() if one is not None}
        elif field not in BY_KEY and value not in (None, "", [], {}):
            found[field] = value
    return found


def body(asset: Mapping[str, Any], changes: Settings) -> dict[str, Any]:
    """The fields to send so that just these settings of an asset become others (None: go)."""
    made: dict[str, Any] = {}
    for path, value in changes.items():
        field, _, key = path.partition(".")
        if field not in BY_KEY:
            made[field] = _EMPTY.get(field) if value is None else value
            continue
        kept = asset.get(field)
        whole = made.setdefault(field, dict(kept) if isinstance(kept, Mapping) else {})
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = value
    return made


def difference(link: Link, theirs: Settings, now: Settings) -> Difference:
    """What of our settings is to be sent, so that what was edited there stays.

    When nothing was sent yet, ours are to be there all the same; but names, places and charts only
    where there are none.
    """
    first, sent = not sent_of(link), sent_of(link)
    send: dict[str, Any] = {}
    there, edited = [], []
    for path in changed(link, now):
        stays = first and path in theirs and path.partition(".")[0] not in BY_KEY
        if stays or theirs.get(path) == now.get(path):
            there.append(path)
        elif first or theirs.get(path) == sent.get(path):
            send[path] = now.get(path)
        else:
            edited.append(path)
    return Difference(send, tuple(there), tuple(edited))


def changed(link: Link, now: Settings) -> list[str]:
    """The settings that are not what they were here when they were sent."""
    then = ours_of(link)
    return sorted(
        path for path in then.keys() | now.keys()
        if path not in then or path not in now or then[path] != now[path]
    )  # fmt: skip


def ours_of(link: Link) -> Settings:
    """The settings as they were here when they were sent; empty: never."""
    return _kept(link, "ours")


def sent_of(link: Link) -> Settings:
    """The settings as the centre had them after that."""
    return _kept(link, "sent")


def refused_of(link: Link) -> Mapping[str, str]:
    """What the centre did not take of the settings, with what it said."""
    return _kept(link, "refused")


def is_gone(link: Link) -> bool:
    """Whether the centre said that it does not know it any more."""
    return "gone" in link.details


def gone(link: Link, now: datetime) -> Link:
    """Note that the centre does not know it any more."""
    return link if is_gone(link) else _with(link, gone=now.isoformat())


def noted(
    link: Link, paths: Iterable[str], now: Settings, shown: Settings, refused: Mapping[str, str]
) -> Link:
    """Note that settings were sent, or need not be. ``shown``: the centre's after that.

    At the first time all that the centre shows is taken as sent.
    """
    ours, sent = dict(ours_of(link)), dict(sent_of(link) or shown)
    told = {path: words for path, words in refused_of(link).items() if path in now}
    for path in paths:
        for kept, values in ((ours, now), (sent, shown)):
            kept.pop(path, None)
            if path in values:
                kept[path] = values[path]
        told.pop(path, None)
    return _with(link, ours=ours, sent=sent, refused=told | dict(refused))


def described(link: Link, details: Settings) -> Link:
    """The link with other details."""
    return replace(link, details=dict(details))


def _kept(link: Link, name: str) -> Mapping[str, Any]:
    kept = link.details.get(name)
    return kept if isinstance(kept, Mapping) else {}


def _with(link: Link, **details: Any) -> Link:
    return replace(link, details={**link.details, **details})
