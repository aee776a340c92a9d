"""The tables of a gateway in a fleet: centres, what is what there, and what they refused."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from flexedge.store.tables.columns import KEPT_FOR_GOOD, Json, List, Model, unsealed


class Centres(Model):
    """Central servers this gateway is linked with. Their credentials are in files of their own."""

    __tablename__ = "centres"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    account_id: Mapped[int]
    """The number the centre has for it, as all numbers of a centre."""
    account: Mapped[str]
    user: Mapped[str]
    linked: Mapped[datetime]
    scopes: Mapped[List]
    details: Mapped[Json]
    __table_args__ = (KEPT_FOR_GOOD,)


class Links(Model):
    """Which of our assets and sensors is which at a centre."""

    __tablename__ = "links"
    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centres.id", ondelete="CASCADE"))
    thing: Mapped[str]
    """ "asset" or "sensor"."""
    local_id: Mapped[int]
    role: Mapped[str]
    """ "" or, of sensors, what of it goes there: "forecast", "schedule", "outcome"."""
    central_id: Mapped[int]
    made: Mapped[bool]
    """Whether it was made by us there, or found."""
    details: Mapped[Json]
    __table_args__ = (
        sa.UniqueConstraint("centre_id", "thing", "local_id", "role", name="uq_links_what"),
        KEPT_FOR_GOOD,
    )


class SetAside(Model):
    """Values that a centre did not take. They block nothing, and wait to be looked at."""

    __tablename__ = "set_aside"
    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int] = mapped_column(sa.ForeignKey("centres.id", ondelete="CASCADE"))
    link_id: Mapped[int] = mapped_column(sa.ForeignKey("links.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    status: Mapped[int]
    code: Mapped[str]
    message: Mapped[str]
    run: Mapped[Json]
    """The values with their times, as they were posted."""
    tries: Mapped[int]
    __table_args__ = (sa.Index(None, "centre_id", "at"), unsealed(), KEPT_FOR_GOOD)


TABLES = (Centres, Links, SetAside)
"""All of them."""
