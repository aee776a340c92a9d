from flexedge.store.archive import Asked


def test_only_the_newest_beliefs_are_asked_for_unless_said() -> None:
    asked = Asked((1,))
    assert asked.most_recent
    assert asked.sources is None
