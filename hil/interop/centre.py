"""A real FlexMeasures server: PostgreSQL, Redis, web server and workers, on free ports.

It is installed from the public registries into an environment that is kept (``var/interop/venv``;
``FLEXEDGE_CENTRE_VENV`` names another one). All else lives in a folder that ends with the server.
FlexMeasures 1.0.1 sets only lower bounds for what it needs, and does not start with some later
releases: PINS is what it was released against.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from hil.waiting import eventually

VERSION = "1.0.1"
PINS = (
    f"flexmeasures=={VERSION}", "gunicorn", "Flask-Security-Too==5.8.1", "SQLAlchemy<2.1", "rq<3",
    "marshmallow<4.4", "timely-beliefs<4.3",
)  # fmt: skip
EMAIL, PASSWORD = "gateway@example.com", "seven grey herons"
OPERATOR = "operator@example.com"
"""Somebody who works at the centre; with the same password."""
ACCOUNT = "Energy community"
_ROOT = Path(__file__).parents[2]
_VENV = Path(os.environ.get("FLEXEDGE_CENTRE_VENV", _ROOT / "var/interop/venv"))
_PG = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))
_FITS = "import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))"
_START_S = 180.0
_END_S = 20.0
_USERS = """
import sys
import tempfile
from flexmeasures.app import create
app = create()
with app.app_context():
    from flexmeasures.data import db
    from flexmeasures.data.services.users import create_user
    password, account, *emails = sys.argv[1:]
    for email in emails:
        create_user(email=email, password=password, username=email.partition("@")[0],
                    account_name=account, check_email_deliverability=False,
                    user_roles=["account-admin"])
    db.session.commit()
"""


def installed() -> Path:
    """The environment with FlexMeasures in it; made where it is missing."""
    if not (_VENV / "bin/gunicorn").exists():
        subprocess.run([_python(), "-m", "venv", "--clear", _VENV], check=True)
        pip = [str(_VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--quiet", *PINS], check=True)
    return _VENV


def _python() -> str:
    """One that FlexMeasures runs on and that can make environments."""
    names = [sys.executable, *(f"python3.{minor}" for minor in (12, 11, 10)), "python3"]
    for path in filter(None, map(shutil.which, names)):
        done = subprocess.run([path, "-c", _FITS], check=False, capture_output=True)
        if done.returncode == 0:
            return path
    raise AssertionError("FlexMeasures needs Python 3.10 to 3.12 with venv: install python3-venv")


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


class Centre:
    """The whole server; ``close`` ends all of it.

    ``limits``: with its usual rate limits. ``ingestion``: values are stored by a worker, later, and
    not before they are answered.
    """

    def __init__(self, folder: Path, *, limits: bool = False, ingestion: bool = True) -> None:
        self.folder = folder
        self._queues = ("scheduling", "ingestion") if ingestion else ("scheduling",)
        folder.mkdir(parents=True, exist_ok=True)
        self._venv = installed()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port, self._pg_port, self._redis_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._secret = secrets.token_hex(32)
        self._kept = Path(tempfile.mkdtemp(prefix="centre-"))
        """Of PostgreSQL, which may not be root and must reach it."""
        self._home = folder / "home"
        self._home.mkdir(exist_ok=True)
        (self._home / ".flexmeasures.cfg").write_text(self._configuration(limits))
        try:
            self._start_stores()
            self.cli("db", "upgrade")
            self.cli("add", "initial-structure")
            self.cli("add", "account", "--name", ACCOUNT)
            self.python(_USERS, PASSWORD, ACCOUNT, EMAIL, OPERATOR)
            self.start()
        except BaseException:
            self.close()
            raise

    def _configuration(self, limits: bool) -> str:  # noqa: FBT001
        database = f"postgresql://centre@127.0.0.1:{self._pg_port}/centre"
        return f"""
SQLALCHEMY_DATABASE_URI = "{database}"
SECRET_KEY = "{self._secret}"
SECURITY_TWO_FACTOR = False
SECURITY_PASSWORD_CHECK_BREACHED = None
TRUSTED_HOSTS = ["127.0.0.1", "localhost"]
FLEXMEASURES_TIMEZONE = "Europe/Amsterdam"
FLEXMEASURES_REDIS_URL = "127.0.0.1"
FLEXMEASURES_REDIS_PORT = {self._redis_port}
FLEXMEASURES_REDIS_DB_NR = 0
RATELIMIT_ENABLED = {limits}
FLEXMEASURES_CREATE_TEMPLATE_ASSETS_ON_STARTUP = False
MAIL_SERVER = "127.0.0.1"
MAIL_PORT = 1
"""

    def _start_stores(self) -> None:
        data, sockets = self._kept / "pg", self._kept / "sockets"
        self._kept.chmod(0o711)
        for made in (data, sockets):
            made.mkdir()
            if os.geteuid() == 0:
                shutil.chown(made, "postgres", "postgres")
        who: Mapping[str, Any] = {}
        if os.geteuid() == 0:
            who = {"user": "postgres", "group": "postgres", "extra_groups": []}
        subprocess.run(
            [_PG / "initdb", "-D", data, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust",
             "-U", "centre"],
            check=True, cwd="/", capture_output=True, **who,
        )  # fmt: skip
        self._run(
            "postgres",
            [str(_PG / "postgres"), "-D", str(data), "-p", str(self._pg_port), "-k", str(sockets),
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            **who,
        )  # fmt: skip
        redis = ["redis-server", "--bind", "127.0.0.1", "--port", str(self._redis_port), "--save",
                 "", "--dir", str(self.folder)]  # fmt: skip
        self._run("redis", redis)
        psql = [str(_PG / "psql"), "-qAtX", "-h", "127.0.0.1", "-p", str(self._pg_port), "-U",
                "centre", "-v", "ON_ERROR_STOP=1"]  # fmt: skip

        def ready() -> None:
            done = subprocess.run(
                [*psql, "-d", "postgres", "-c", "create database centre"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0 or "already exists" in done.stderr, done.stderr

        eventually(ready, _START_S)
        extensions = "create extension cube; create extension earthdistance"
        subprocess.run([*psql, "-d", "centre", "-c", extensions], check=True, capture_output=True)

    def start(self) -> None:
        """Start web server and workers."""
        binaries = self._venv / "bin"
        self._web = self._run(
            "web",
            [str(binaries / "gunicorn"), "--bind", f"127.0.0.1:{self.port}", "--workers", "1",
             "--threads", "4", "--timeout", "300", "flexmeasures.app:create()"],
        )  # fmt: skip
        for queues in self._queues:
            self._run(
                f"worker-{queues}",
                [str(binaries / "flexmeasures"), "jobs", "run-worker", "--queue", queues],
            )

        def ready() -> None:
            assert self._web.poll() is None, self.said("web")
            try:
                answer = requests.get(f"{self.url}/api/v3_0/health/ready", timeout=5)
            except requests.RequestException as error:
                raise AssertionError(str(error)) from error
            assert answer.ok, answer.text

        eventually(ready, _START_S)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        return kept | {
            "HOME": str(self._home), "FLEXMEASURES_ENV": "production", "PYTHONWARNINGS": "ignore",
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip

    def _run(self, name: str, command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd="/" if more else self.folder, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **more,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def said(self, name: str) -> str:
        """The log of one of its programs."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def cli(self, *arguments: str, codes: Container[int] = (0,)) -> str:
        """What FlexMeasures' own command line prints, and logs."""
        done = subprocess.run(
            [self._venv / "bin/flexmeasures", *arguments], cwd=self.folder,
            env=self._environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout + done.stderr

    def python(self, program: str, *arguments: str) -> str:
        """What a few lines of Python print in its environment."""
        done = subprocess.run(
            [self._venv / "bin/python", "-", *arguments], cwd=self.folder, input=program,
            env=self._environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        """End all of it: workers and web server first, then what they need."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        self._processes.clear()
        shutil.rmtree(self._kept, ignore_errors=True)


class User:
    """Somebody who uses the server's API."""

    def __init__(self, centre: Centre, email: str = EMAIL, password: str = PASSWORD) -> None:
        self._url = centre.url
        self._session = requests.Session()
        self._session.trust_env = False
        answer = self.ask("POST", "/api/requestAuthToken", {"email": email, "password": password})
        self._session.headers["Authorization"] = answer["auth_token"]

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON answer, which must be a good one."""
        answer = self._session.request(
            method, self._url + path, json=body, params=query, timeout=120
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._session.close()
