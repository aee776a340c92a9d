"""Settings: a file, the environment over it, and who is to blame for a mistake."""

from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.config.settings import Settings, load_settings
from flexedge.errors import ConfigError, StoreError

EXAMPLE = Path(__file__).parents[2] / "config" / "settings.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return path


def said(path: Path | None, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ)
    return str(caught.value)


def test_a_proxy_is_an_address(tmp_path: Path) -> None:
    for good in ("", "http://p.example:3128", "https://u:birch@p.example:443"):
        assert load_settings(written(tmp_path, f"proxy: '{good}'"), {}).proxy == good


def test_the_example_shows_the_defaults() -> None:
    found = load_settings(EXAMPLE, {})
    assert found == Settings(site=EXAMPLE.parent / "home.yaml")


def test_planning_may_be_compatible(tmp_path: Path) -> None:
    found = load_settings(written(tmp_path, "plan: {compat: flexmeasures-1.0}"), {})
    assert found.plan.compat == "flexmeasures-1.0"
    wrong = written(tmp_path, "plan: {compat: flexmeasures-2}")
    assert "settings.yaml:1:16: " in said(wrong)


def test_the_defaults() -> None:
    found = Settings()
    assert (found.site, found.data_dir) == (
        Path("/etc/flexedge/site.yaml"),
        Path("/var/lib/flexedge"),
    )
    assert (found.web.host, found.web.port, found.web.hosts) == ("127.0.0.1", 8440, ())
    assert (found.log.level, found.log.format, found.clock) == ("info", "auto", None)
    assert found.plan.every == timedelta(minutes=5)
    assert found.plan.horizon == timedelta(hours=36)
    assert found.plan.time_limit == timedelta(seconds=5)


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "web: {port: 9000, host: 0.0.0.0}\ndata-dir: data\n")
    environ = {
        "FLEXEDGE_SETTINGS": str(path),
        "FLEXEDGE_WEB__PORT": "9001",
        "FLEXEDGE_WEB__HOSTS": "a.example.org, b.example.org",
        "FLEXEDGE_PROFILE_DIRS": "/a,/b",
        "FLEXEDGE_PLAN__TIME_LIMIT": "PT3S",
        "FLEXEDGE_CLOCK": "127.0.0.1:4000",
        "PATH": "/bin",
    }
    found = load_settings(None, environ)
    assert (found.web.port, found.web.host) == (9001, "0.0.0.0")  # noqa: S104 (a value to read)
    assert found.web.hosts == ("a.example.org", "b.example.org")
    assert found.profile_dirs == (Path("/a"), Path("/b"))
    assert found.plan.time_limit == timedelta(seconds=3)
    assert found.clock == "127.0.0.1:4000"
    assert found.data_dir == tmp_path / "data"


def test_paths_in_a_file_start_at_its_folder(tmp_path: Path) -> None:
    text = "site: a/site.yaml\nprofile-dirs: [own, /abs]\nca-file: ca.pem\n"
    path = written(tmp_path, text)
    found = load_settings(path, {"FLEXEDGE_DATA_DIR": "relative"})
    assert found.ca_file == tmp_path / "ca.pem"
    assert found.site == tmp_path / "a" / "site.yaml"
    assert found.profile_dirs == (tmp_path / "own", Path("/abs"))
    assert found.data_dir == Path("relative")


def test_systemd_says_where_credentials_are_unless_the_settings_do(tmp_path: Path) -> None:
    given = {"CREDENTIALS_DIRECTORY": "/run/credentials/flexedge.service"}
    plain, own = written(tmp_path, "{}"), tmp_path / "own.yaml"
    own.write_text("credentials-dir: keys\n", encoding="utf-8")
    assert load_settings(plain, {}).credentials_dir is None
    assert load_settings(plain, given).credentials_dir == Path("/run/credentials/flexedge.service")
    assert load_settings(own, given).credentials_dir == tmp_path / "keys"


def test_the_process_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEXEDGE_WEB__PORT", "1")
    monkeypatch.setenv("FLEXEDGE_LOG__LEVEL", "loud")
    assert load_settings(EXAMPLE, {}).web.port == 8440


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    assert said(missing) == f"{missing}: there is no such file"
    assert said(None, FLEXEDGE_SETTINGS=str(missing)) == f"{missing}: there is no such file"


def test_a_database_may_be_named(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "site: x.yaml\n"), {}).database is None
    url = "postgresql://flexedge@db.example.org:5433/flexedge?sslmode=verify-full"
    assert load_settings(written(tmp_path, f"database: {url}\n"), {}).database == url
    assert (
        load_settings(written(tmp_path, "site: x.yaml\n"), {"FLEXEDGE_DATABASE": url}).database
        == url
    )


def test_what_is_about_all_that_is_kept_stops_where_that_is_a_database() -> None:
    assert Settings(data_dir=Path("x")).whole_folder() == Path("x")
    with pytest.raises(StoreError, match="PostgreSQL's own tools"):
        Settings(database="postgresql://host/name").whole_folder()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: {prot: 1}", "1:7: unknown key 'prot'; did you mean 'port'?"),
        ("data_dir: /x", "1:1: unknown key 'data_dir'; did you mean 'data-dir'?"),
        ("web: {port: 99999}", "1:13: should be at most 65535, not 99999"),
        ("log: {level: loud}", "1:14: 'loud' is not known here; known: debug, info, warning"),
        ("proxy: 'socks5://u:birch@p.example:1'",
         "1:8: this is no proxy; write it as http://proxy.example.com:3128"),
        ("proxy: 'p.example:3128'", "1:8: this is no proxy; write it as http://proxy.example.com:3128"),
        ("proxy: 'http://[::1'", "1:8: this is no proxy; write it as http://proxy.example.com:3128"),
        ("proxy: 'http://p.example'", "1:8: this is no proxy; write it as http://proxy.example.com:3128"),
        ("plan: {every: 5}", "1:15: 5 is not a duration; write it as 'PT15M' or '15 min'"),
        ("plan: {time-limit: 5 min}",
         "1:1: time-limit should be above zero and below every"),
        ("plan: {resolution: 10 min}", "1:1: resolution should be 5, 15, 30 or 60 min"),
        ("plan: {horizon: 8 d}", "1:1: horizon should be between every and 7 days"),
        ("store: {keep-readings: 3 h}",
         "1:1: keep-readings should be at least 1 d: plans are made of yesterday"),
        ("store: {memory-mb: 1}", "1:20: should be at least 32, not 1"),
        ("site: [a]", "1:1: should be text, not a list"),
        ("database: mysql://me:secret@host/x",
         "1:11: database should be a URL as postgresql://user@host/name"),
        ("database: postgresql://host:port/x",
         "1:11: database should be a URL as postgresql://user@host/name"),
        ("database: postgresql://host",
         "1:11: database should be a URL as postgresql://user@host/name"),
        ("database: postgresql://me:secret@host/x",
         "1:11: database should hold no password; put it into the file PGPASSFILE names"),
        ("database: postgresql://me@host/x?password=secret",
         "1:11: database should hold no password; put it into the file PGPASSFILE names"),
        ("database: [secret]", "1:1: should be text, not a list"),
    ],
)  # fmt: skip
def test_mistakes_in_the_file(tmp_path: Path, text: str, expected: str) -> None:
    path = written(tmp_path, text)
    assert said(path) == f"{path}:{expected}"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("FLEXEDGE_WEB__PORT", "x", "should be a whole number, not 'x'"),
        ("FLEXEDGE_WEB__PRT", "1", "unknown key 'prt'; did you mean 'port'?"),
        ("FLEXEDGE_LOG__LEVEL", "loud", "'loud' is not known here; known: debug, info, warning"),
        ("FLEXEDGE_PLAN__TIME_LIMIT", "3 h",
         "time-limit should be above zero and below every"),
        ("FLEXEDGE_WEB", "{",
         "should be a mapping with the keys host, port, hosts, requests, not '{'"),
    ],
)  # fmt: skip
def test_mistakes_in_the_environment_name_the_variable(
    tmp_path: Path, variable: str, value: str, expected: str
) -> None:
    path = written(tmp_path, "site: x.yaml\n")
    assert said(path, **{variable: value}) == f"{variable}: {expected}"
