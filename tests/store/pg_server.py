"""A PostgreSQL server for tests: on a free port, without care for its data, gone afterwards."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))
_QUIET = ("unix_socket_directories=", "listen_addresses=127.0.0.1", "log_min_messages=warning")
CARELESS = ("fsync=off", "full_page_writes=off", "autovacuum=off")


class PgServer:
    """Started when made; as ``postgres``, as it refuses to run as root."""

    def __init__(self, settings: Sequence[str] = CARELESS) -> None:
        self._settings = (*_QUIET, *settings)
        self.folder = Path(tempfile.mkdtemp(prefix="flexedge-pg-"))
        self.password = secrets.token_urlsafe(12)
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._who = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        secret.chmod(0o644)
        subprocess.run(
            [BIN / "initdb", "-D", self.data, "-U", "flexedge", "-A", "scram-sha-256", "--no-sync",
             "--pwfile", secret, "-E", "UTF8", "--locale", "C"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._who,
        )  # fmt: skip
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, name: str = "postgres", *, password: bool = True) -> str:
        secret = f":{self.password}" if password else ""
        return f"postgresql://flexedge{secret}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Returns when it answers."""
        options = [part for setting in self._settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "postgres", "-D", self.data, "-p", str(self.port), *options],
                stdout=log, stderr=log, cwd=self.folder, **self._who,
            )  # fmt: skip
        pause = threading.Event()
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            pause.wait(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """At once, as in a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Do something as the owner of all."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def connected(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """Somebody else at the same database."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def new_database(self) -> str:
        self._databases += 1
        name = f"flexedge_{self._databases}"
        self.run(f"create database {name}")
        return self.url(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)
