import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flexedge.web.claim import CROCKFORD, keep, kept, new_code, plain


def test_codes_are_two_groups_of_four_and_differ() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    for code in codes:
        assert code[4] == "-"
        assert len(plain(code)) == 8
        assert set(plain(code)) <= set(CROCKFORD)


@given(st.text(CROCKFORD, min_size=8, max_size=8))
def test_people_may_type_it_their_way(code: str) -> None:
    sloppy = f" {code[:4]}-{code[4:]} ".lower().replace("0", "o").replace("1", "l")
    assert plain(sloppy) == code


def test_the_file_is_for_its_owner_alone_also_when_replaced(tmp_path: Path) -> None:
    path = tmp_path / "claim-code"
    path.write_text("OLD")
    path.chmod(0o644)
    keep(path, "ABCD-1234")
    assert kept(path) == "ABCD-1234"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_or_empty_file_holds_no_code(tmp_path: Path) -> None:
    path = tmp_path / "claim-code"
    assert kept(path) is None
    path.write_text("\n")
    assert kept(path) is None
