import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flexedge.cloud.keys import Key, KeyFile, issued, parsed
from flexedge.errors import CentreLocked, RequestError, StoreError

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
KEY = Key("anna@example.org", "secret-password", "secret-token", NOW, "secret-refresh")
SIGNED = "eyJ2ZXIiOiI1IiwidWlkIjoiZSJ9.awgp5g.ApUd1lBGzHT2EpAusYgH8P6uhao"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


def keys(tmp_path: Path, given: Path | None = None) -> KeyFile:
    return KeyFile(tmp_path / "data", "main", given)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "centres" / "main.json"


def test_a_key_is_kept_where_only_we_may_read_it(tmp_path: Path) -> None:
    path(tmp_path).parent.mkdir(parents=True)
    path(tmp_path).parent.chmod(0o755)
    before = os.umask(0)
    try:
        keys(tmp_path).write(KEY)
    finally:
        os.umask(before)
    assert keys(tmp_path).read() == KEY
    assert mode(path(tmp_path)) == 0o600
    assert mode(path(tmp_path).parent) == 0o700
    assert [one.name for one in path(tmp_path).parent.iterdir()] == ["main.json"]


def test_a_key_takes_the_place_of_another_one_at_once(tmp_path: Path) -> None:
    keys(tmp_path).write(KEY)
    (path(tmp_path).parent / "main.json.new").write_text("what a power cut left")
    with path(tmp_path).open("rb") as old:
        keys(tmp_path).write(Key(token="other"))
        assert b"secret-token" in old.read()  # what was there is whole until the end
    assert keys(tmp_path).read() == Key(token="other")
    assert mode(path(tmp_path)) == 0o600


def test_there_may_be_none(tmp_path: Path) -> None:
    with pytest.raises(CentreLocked, match="log in with flexedge link URL --email"):
        keys(tmp_path).read()
    keys(tmp_path).forget()


def test_a_key_is_forgotten(tmp_path: Path) -> None:
    keys(tmp_path).write(KEY)
    keys(tmp_path).forget()
    assert not path(tmp_path).exists()


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o610])
def test_what_others_may_read_is_not_used(tmp_path: Path, bits: int) -> None:
    keys(tmp_path).write(KEY)
    path(tmp_path).chmod(bits)
    with pytest.raises(CentreLocked, match="chmod 600") as caught:
        keys(tmp_path).read()
    assert "secret" not in str(caught.value)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    keys(tmp_path).write(KEY)
    there = path(tmp_path)
    there.rename(tmp_path / "elsewhere.json")
    there.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(CentreLocked):
        keys(tmp_path).read()
    there.unlink()
    os.mkfifo(there, 0o600)
    with pytest.raises(CentreLocked, match="no file"):
        keys(tmp_path).read()
    there.unlink()
    there.mkdir()
    with pytest.raises(CentreLocked):
        keys(tmp_path).read()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", b"\xff", b'{"token": 5}', b"secret token", b'{"email": "a@b"}',
        b'{"token": "secret", "since": "2026"}', b'{"token": "se\\ncret"}', b"secret" * 20_000,
        b'{"token": "secret", "since": "2026-04-14T12:00:00"}', b"[" * 60_000, b"secret\nmore",
        '{"token": "sécret"}'.encode(), b'{"token": ["secret"]}',
    ],
)  # fmt: skip
def test_what_is_no_credential_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    keys(tmp_path).write(KEY)
    path(tmp_path).write_bytes(content)
    with pytest.raises(CentreLocked, match=r"main\.json") as caught:
        keys(tmp_path).read()
    assert "cret" not in str(caught.value)


def test_a_disk_that_takes_no_writes_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"main\.json"):
        keys(tmp_path).write(KEY)


def test_what_systemd_gives_goes_first_and_is_never_written(tmp_path: Path, given: Path) -> None:
    keys(tmp_path).write(KEY)
    (given / "centre-main").write_text("berta@example.org:pass:word\n")
    found = keys(tmp_path, given)
    assert found.read() == Key("berta@example.org", "pass:word")
    renewed = found.read().with_token("new", NOW)
    found.write(renewed)
    assert found.read() == renewed
    found.forget()
    assert (given / "centre-main").read_text() == "berta@example.org:pass:word\n"
    assert not path(tmp_path).exists()


def test_another_credential_of_systemds_ends_what_was_got_with_the_last(
    tmp_path: Path, given: Path
) -> None:
    (given / "centre-main").write_text("berta@example.org:password")
    found = keys(tmp_path, given)
    found.write(found.read().with_token("new", NOW))
    (given / "centre-main").write_text("berta@example.org:other")
    assert found.read() == Key("berta@example.org", "other")


def test_a_credential_for_another_centre_is_not_ours(tmp_path: Path, given: Path) -> None:
    (given / "centre-other").write_text("token")
    keys(tmp_path).write(KEY)
    assert keys(tmp_path, given).read() == KEY


def test_systemd_cannot_give_what_its_use_uses_up(tmp_path: Path, given: Path) -> None:
    (given / "centre-main").write_text('{"refresh": "secret-refresh"}')
    with pytest.raises(CentreLocked, match="uses up"):
        keys(tmp_path, given).read()


def test_what_systemd_gives_wrongly_is_not_passed_over(tmp_path: Path, given: Path) -> None:
    keys(tmp_path).write(KEY)
    (given / "centre-main").write_text("not a credential")
    with pytest.raises(CentreLocked, match="centre-main"):
        keys(tmp_path, given).read()
    (given / "centre-main").unlink()
    (given / "centre-main").mkdir()
    with pytest.raises(CentreLocked, match="cannot be read"):
        keys(tmp_path, given).read()


@pytest.mark.parametrize("name", ["", "..", "a/b", "../main", "a.b", "-a", "x" * 64, "a\n"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError):
        KeyFile(tmp_path, name, None)


def test_credentials_are_understood_as_people_write_them() -> None:
    assert parsed("a@b.c:x:y") == Key("a@b.c", "x:y")
    assert parsed("fxk_abc") == Key(token="fxk_abc")
    assert parsed('{"email": "a@b.c", "password": "x", "more": 1}') == Key("a@b.c", "x")
    assert parsed(SIGNED).since == datetime(2026, 11, 26, 12, 45, 26, tzinfo=UTC)


def test_a_token_says_when_it_was_given_if_it_does() -> None:
    assert issued(SIGNED) == datetime(2026, 11, 26, 12, 45, 26, tzinfo=UTC)
    for other in ("fxk_abc", "a.b.c", "a.AAAAAA.c", "a.______8.c", "eyJh.eyJzdWIi.c", "a.aaaaa.c"):
        assert issued(other) is None


def test_a_key_does_not_tell_itself() -> None:
    assert repr(KEY) == str(KEY) == "Key('anna@example.org', …)"
    assert KEY.secrets == ("secret-password", "secret-token", "secret-refresh")
    assert Key("a@b.c", token="x").secrets == ("x",)


def test_what_can_be_renewed() -> None:
    assert Key("a@b.c", "x").renewable
    assert Key(refresh="x").renewable
    assert not Key("a@b.c", token="x").renewable
    assert KEY.with_token("new", NOW) == Key("anna@example.org", "secret-password", "new", NOW)
