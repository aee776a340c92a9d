"""``flexedge serve`` as somebody starts it: a process, and an account made at the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

ACCOUNT = "Toy Account"
USER, ADMIN = "toy-user@flexmeasures.io", "admin@example.com"
PASSWORD = "toy-password"  # noqa: S105 (the toy account's)
_PATIENCE_S = 60


class Served:
    """A server on a free port, and what is needed to talk to it. Ends with its context."""

    def __init__(self, folder: Path, **variables: str) -> None:
        clean = {name: value for name, value in os.environ.items() if "FLEXEDGE" not in name}
        self.folder = folder
        self.environ = clean | variables | {
            "FLEXEDGE_DATA_DIR": str(folder), "FLEXEDGE_WEB__PORT": "0",
            "FLEXEDGE_LOG__FORMAT": "json",
        }  # fmt: skip
        self.url = ""

    def command(self, *words: str, typed: str = "") -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flexedge", *words], env=self.environ, input=typed,
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def people(self) -> Self:
        """Make the account, its head and an admin."""
        self.command("add", "account", "--name", ACCOUNT)
        for email, name, role in (
            (USER, "toy-user", "account-admin"), (ADMIN, "peer-admin", "admin")
        ):  # fmt: skip
            self.command(
                "add", "user", "--email", email, "--username", name, "--account-id", "1",
                "--roles", role, typed=f"{PASSWORD}\n{PASSWORD}\n",
            )  # fmt: skip
        return self

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flexedge", "serve"], env=self.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if '"flexedge serves"' in line:
                break
        else:
            self.process.communicate(timeout=_PATIENCE_S)
            raise AssertionError("".join(said))
        self.url = json.loads((self.folder / "runtime.json").read_text())["url"]
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    @property
    def host(self) -> str:
        """Host and port, as FlexMeasures' client wants it."""
        return self.url.partition("://")[2]

    def token(self, email: str = USER) -> str:
        """A token of a user."""
        body = {"email": email, "password": PASSWORD}
        answer = requests.post(f"{self.url}/api/requestAuthToken", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["auth_token"])

    def ask(self, method: str, path: str, token: str, **more: Any) -> requests.Response:
        """One request under /api/v3_0."""
        headers = {"Authorization": token}
        url = f"{self.url}/api/v3_0{path}"
        return requests.request(method, url, headers=headers, timeout=60, **more)
