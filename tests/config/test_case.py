"""What every rule sees."""

from typing import cast

from flexedge.config.case import Case
from flexedge.config.profile import Profile
from flexedge.config.site import Site


def test_only_devices_whose_profile_was_read_are_complained_about() -> None:
    case = Case(cast("Site", None), {"meter": cast("Profile", None)}, {})
    assert case.is_known("meter")
    assert case.is_known(None)
    assert not case.is_known("hybrid")
