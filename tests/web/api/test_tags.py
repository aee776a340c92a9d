import pytest
from starlette.datastructures import Headers

from flexedge.web.api.op import Rejected, Reply
from flexedge.web.api.tags import content_of, demand_seen, has, tag_of


def test_what_is_sent_has_a_tag() -> None:
    content = content_of({"a": 1})
    assert content == b'{"a":1}'
    assert tag_of(content) != tag_of(b'{"a":2}')
    assert content_of(b"ready") == b"ready"


def test_tags_are_named_weakly_or_strongly() -> None:
    tag = tag_of(b"x")
    assert has(f'"other", {tag}', tag)
    assert has(tag.removeprefix("W/"), tag)
    assert has("*", tag)
    assert not has('"other"', tag)


def test_only_what_was_seen_is_changed() -> None:
    shown = Reply({"a": 1})
    demand_seen(Headers({}), lambda: shown)
    demand_seen(Headers({"if-match": tag_of(b'{"a":1}')}), lambda: shown)
    with pytest.raises(Rejected) as refusal:
        demand_seen(Headers({"if-match": tag_of(b'{"a":2}')}), lambda: shown)
    assert (refusal.value.status, refusal.value.code) == (412, "PRECONDITION_FAILED")
