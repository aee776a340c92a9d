"""What the operations work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flexedge.config.settings import Settings
from flexedge.domain.rights import Caller, Permission, Thing, may
from flexedge.gateway.edge import Edge
from flexedge.gateway.service.forecasts import Forecasts
from flexedge.gateway.service.schedules import Schedules
from flexedge.gateway.service.work import Work
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.view import Window
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.store.tables.users import User
from flexedge.web.api.op import forbidden
from flexedge.web.feed import Feed
from flexedge.web.newsreel import Newsreel


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the program that answer requests."""

    state: State
    beliefs: Beliefs
    work: Work
    now: Callable[[], datetime]
    window: Window | None = None
    """The site's view; None where there is no site."""
    settings: Settings = field(default_factory=Settings)
    edge: Edge | None = None
    """The site's devices in full, and what may be asked of them; None where there is no site."""
    feed: Feed | None = None
    """What happens on site as it happens; None where there is no site."""
    reel: Newsreel = field(default_factory=Newsreel)
    """What was newly believed."""
    centres: Centres | None = None
    """The central servers the gateway is linked with; None where nobody keeps in step with any."""
    schedules: Schedules = field(init=False)
    forecasts: Forecasts = field(init=False)

    def __post_init__(self) -> None:
        plan = self.settings.plan
        schedules = Schedules(
            self.state, self.beliefs, self.work, compat=plan.compat, time_limit=plan.time_limit
        )
        object.__setattr__(self, "schedules", schedules)
        forecasts = Forecasts(self.state, self.beliefs, self.work)
        object.__setattr__(self, "forecasts", forecasts)

    def thing(self, value: Asset | PlacedSensor | User, number: int = 0) -> Thing:
        """Whose an object is."""
        match value:
            case User():
                return Thing("user", value.account_id, self._consultancy(value.account_id), number)
            case PlacedSensor():
                asset = self.state.assets.get(value.asset_id)
                account = None if asset is None else asset.account_id
                return Thing("sensor", account, self._consultancy(account))
            case Asset():
                return Thing("asset", value.account_id, self._consultancy(value.account_id))

    def account(self, number: int) -> Thing:
        """An account as a thing."""
        return Thing("account", number, self._consultancy(number))

    def demand(self, caller: Caller, permission: Permission, thing: Thing) -> None:
        """Refuse a caller who may not do that (403)."""
        if not may(caller, permission, thing):
            forbidden("You cannot be authorized for this content or functionality.")

    def _consultancy(self, account_id: int | None) -> int | None:
        account = None if account_id is None else self.state.accounts.get(account_id)
        return None if account is None else account.consultancy_account_id
