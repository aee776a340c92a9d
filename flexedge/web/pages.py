"""The pages: claim, login and the site. They hold no data; their scripts ask the API."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from flexedge.web import passwords
from flexedge.web.auth import Access

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Pages:
    """The handlers of the pages."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def home(self, request: Request) -> Response:
        """The site for its owner; for others the way to become or to prove it."""
        if request.state.role != "nobody":
            return self._page("page.html")
        claimed = await run_in_threadpool(lambda: self._access.claimed)
        return self._page("login.html" if claimed else "claim.html")

    async def centres(self, request: Request) -> Response:
        """Central servers: linking, watching, unlinking; for who is logged in."""
        if request.state.role == "nobody":
            return RedirectResponse("/", 303)
        return self._page("centres.html")

    async def claim(self, _request: Request) -> Response:
        """Where a password is set for the first time."""
        if await run_in_threadpool(lambda: self._access.claimed):
            return RedirectResponse("/", 303)
        return self._page("claim.html")

    def _page(self, name: str) -> Response:
        return HTMLResponse(rendered(name, least_password=passwords.LEAST))


def rendered(name: str, **values: object) -> str:
    """A page made of a template and values."""
    return _TEMPLATES.get_template(name).render(values)
