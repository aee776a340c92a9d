"""Where a central server is, as people write it."""

from typing import Final
from urllib.parse import urlsplit

from flexedge.errors import RequestError

_SUFFIXES: Final = ("/v3_0", "/api", "/ui")
_PLAIN: Final = ("http", "https")


def centre_url(text: str) -> str:
    """Where a server's API starts, without "/api".

    "ems.example.com/api/v3_0/" is "https://ems.example.com". Raises ``RequestError`` for what is
    no address, and for one with a password in it.
    """
    text = text.strip()
    whole = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in _PLAIN or not text.isprintable() or " " in text:
        raise RequestError(422, _WRONG.format(_shown(text)))
    if parts.username is not None or parts.password is not None:
        raise RequestError(422, "The address should hold no user or password; log in instead.")
    if parts.query or parts.fragment:
        raise RequestError(422, _WRONG.format(_shown(text)))
    path = parts.path.rstrip("/")
    for suffix in _SUFFIXES:
        path = path.removesuffix(suffix).rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{path}"


_WRONG: Final = "{!r} is no address of a server; write it as https://ems.example.com"


def _shown(text: str, most: int = 60) -> str:
    return text.rpartition("@")[2][:most]
