from pathlib import Path

from flexedge.domain.rights import Caller
from flexedge.web.api.preferences import preference
from tests.web.api.things import ASSETS, things


def test_a_user_has_preferences(tmp_path: Path) -> None:
    at = things(tmp_path)
    state = at.here.parts.state
    view, legends = f"{ASSETS}/default_asset_view", f"{ASSETS}/keep_legends_below_graphs"
    assert at.ask("POST", view, body={"default_asset_view": "Graphs"}) == {
        "message": "Default asset view updated successfully.", "status": 200}  # fmt: skip
    assert state.fact(preference(at.head, "default_asset_view")) == "Graphs"
    assert state.fact(preference(at.member, "default_asset_view")) is None
    at.ask("POST", view, body={"default_asset_view": "Graphs", "use_as_default": False})
    assert state.fact(preference(at.head, "default_asset_view")) is None
    told = at.ask("POST", legends, body={}, caller=Caller("owner"))
    assert told["message"] == "Default legend position updated successfully."
    assert state.fact("preference/owner/keep_legends_below_graphs") == "true"
    at.ask("POST", legends, body={"keep_legends_below_graphs": False}, caller=Caller("owner"))
    assert state.fact("preference/owner/keep_legends_below_graphs") is None
