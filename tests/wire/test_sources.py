from flexedge.wire.sources import SourcesAsked, SourceTold


def test_only_the_latest_are_told_unless_all_are_asked_for() -> None:
    assert SourcesAsked.model_validate({}).only_latest
    assert not SourcesAsked.model_validate({"only_latest": "false"}).only_latest


def test_what_a_source_lacks_is_left_out() -> None:
    told = SourceTold(id=1, name="a", type="user", description="a", user_id=3)
    assert told.model_dump(exclude_none=True) == {
        "id": 1, "name": "a", "type": "user", "description": "a", "user_id": 3}  # fmt: skip
