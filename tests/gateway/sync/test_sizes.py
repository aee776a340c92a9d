"""How many values go at once, as a centre refuses them, is slow with them, or takes them."""

from flexedge.gateway.sync.sizes import MOST, OFTEN, SELDOM, SMALL, Sizes


def test_what_was_too_large_is_never_tried_again_and_what_was_slow_is() -> None:
    large, slow = Sizes(), Sizes()
    large.too_large()
    slow.too_slow()
    for _ in range(100):
        large.stored()
        slow.stored()
    assert (large.most, slow.most) == (MOST // 2, MOST)


def test_larger_ones_are_tried_again_after_many_that_were_stored() -> None:
    sizes = Sizes()
    for _ in range(20):
        sizes.too_large()
    for _ in range(OFTEN - 1):
        sizes.stored()
    assert sizes.ceiling == 1
    for _ in range(OFTEN * 10):
        sizes.stored()
    assert sizes.most == MOST


def test_what_is_small_is_not_why_it_is_slow() -> None:
    slow, small = Sizes(), Sizes(7, 7)
    for _ in range(20):
        slow.too_slow()
        small.too_slow()
    assert (slow.most, small.most) == (SMALL, 7)


def test_what_was_slow_is_not_tried_again_soon() -> None:
    sizes = Sizes()
    sizes.too_slow()
    tried = []
    for _ in range(SELDOM + 10):
        sizes.stored()
        tried.append(sizes.most)
    assert tried[0] == MOST // 2 + MOST // 20
    assert max(tried[: SELDOM - 1]) == MOST * 3 // 4
    assert tried[-1] == MOST


def test_one_value_is_the_least() -> None:
    sizes = Sizes(1, 1)
    sizes.too_large()
    sizes.too_slow()
    assert sizes.most == 1
