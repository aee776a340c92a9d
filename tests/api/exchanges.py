"""Exchanges of FlexMeasures' client with a real server, played to another server and compared.

The answers must have the same status and the same shape: the same keys, the same JSON types, and
the same values where these are the data itself. Numbers of assets, sensors, jobs … are given by the
server that answers; they are put in the place of the recorded ones as they come.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

Json = Any
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERED = re.compile(r"\b(?:98[678]|121[3-7])\b")
"""The numbers of what the recorded calls made."""
SAME = frozenset({
    "values", "start", "duration", "unit", "resolution", "status", "commitment_costs", "versions",
    "event_resolution", "timezone", "name", "attributes", "latitude", "longitude", "message",
    "scheduler", "result", "origin", "flexmeasures_version",
})  # fmt: skip
"""The keys whose values must be equal, too."""


def found() -> Path | None:
    """The file with the exchanges, where there is one beside this checkout."""
    here = Path(__file__).resolve()
    files = (parent / "shared" / "golden" / "client-exchanges.json" for parent in here.parents)
    return next((file for file in files if file.is_file()), None)


@dataclass
class Player:
    """Plays exchanges in their order. ``differs``: what was not as recorded, in words."""

    url: str
    token: str
    email: str
    password: str
    ours: dict[str, str] = field(default_factory=dict)
    """Our numbers and ids for the recorded ones."""
    differs: list[str] = field(default_factory=list)

    def play(self, exchanges: list[Json], expected: Mapping[int, str]) -> None:
        """Play all; ``expected`` names the exchanges whose values are meant to differ.

        Where a server error was recorded of one of those, nothing is compared.
        """
        for i, one in enumerate(exchanges):
            asked, told = one["request"], one["response"]
            polling = asked["method"] == "GET" and told["status"] == 202
            if polling:
                continue  # we may be done sooner
            answer = self._ask(asked, one["label"])
            while asked["method"] == "GET" and answer.status_code == 202:
                answer = self._ask(asked, one["label"])
            if i in expected and told["status"] >= 500:
                continue
            where = f"{i} {one['label']}: {asked['method']} {asked['path']}"
            self._compare(where, answer, told, values=i not in expected)

    def _ask(self, asked: Json, label: str) -> requests.Response:
        headers = {"FlexMeasures-Client-Version": "0.9.6"}
        if "Authorization" in asked["headers"]:
            headers["Authorization"] = self.token
        if label.startswith("expired token") and asked["path"].startswith("/api/v3_0/assets"):
            headers["Authorization"] = "expired" if "expired" not in self.ours else self.token
            self.ours["expired"] = ""
        body: Json = asked["body"]
        more: dict[str, Any] = {}
        if isinstance(body, str) and "uploaded-files" in body:
            csv = body.split("\r\n\r\n")[1].split("\r\n--")[0]
            more = {"files": {"uploaded-files": ("load.csv", csv, "text/csv")},
                    "data": {"belief-time-measured-instantly": "true", "unit": "kW"}}  # fmt: skip
        elif body is not None:
            more = {"json": json.loads(self._translated(json.dumps(self._secret(body, label))))}
        with requests.Session() as session:
            session.trust_env = False
            path = self._translated(asked["path"])
            return session.request(
                asked["method"], self.url + path, headers=headers, timeout=60, **more
            )

    def _secret(self, body: Json, label: str) -> Json:
        if not isinstance(body, dict) or "password" not in body:
            return body
        wrong = label == "wrong password"
        return {"email": self.email, "password": "not the password" if wrong else self.password}

    def _translated(self, text: str) -> str:
        text = NUMBERED.sub(lambda match: self.ours.get(match[0], match[0]), text)
        return UUID.sub(lambda match: self.ours.get(match[0], match[0]), text)

    def _compare(self, where: str, answer: requests.Response, told: Json, *, values: bool) -> None:
        if answer.status_code != told["status"]:
            self.differs.append(f"{where}: {answer.status_code} {answer.text[:300]}")
            return
        for name in ("FlexMeasures-Version", "API-Version"):
            if answer.headers.get(name) != told["headers"].get(name):
                self.differs.append(f"{where}: header {name} {answer.headers.get(name)}")
        if told["body"] in (None, ""):
            if answer.content:
                self.differs.append(f"{where}: a body where there is none")
            return
        self._learn(told["body"], answer.json())
        translated = json.loads(self._translated(json.dumps(told["body"])))
        same = SAME if values else frozenset()
        found = _Comparison(same).different(translated, answer.json(), "")
        self.differs += [f"{where}: {one}" for one in found]

    def _learn(self, theirs: Json, mine: Json) -> None:
        """Note which number or id of ours is which of theirs."""
        if not isinstance(theirs, dict) or not isinstance(mine, dict):
            return
        for key in ("id", "job", "schedule", "forecast"):
            their, our = theirs.get(key), mine.get(key)
            if their is not None and our is not None:
                self.ours.setdefault(str(their), str(our))


@dataclass(frozen=True)
class _Comparison:
    same: frozenset[str]
    """Keys whose values must be equal."""

    def different(self, theirs: Json, mine: Json, at: str) -> Iterator[str]:
        key = at.rpartition(".")[2]
        if isinstance(theirs, dict) and isinstance(mine, dict):
            if theirs.keys() != mine.keys():
                yield f"{at or 'body'}: {sorted(theirs.keys() ^ mine.keys())} only on one side"
            for name in theirs.keys() & mine.keys():
                yield from self.different(theirs[name], mine[name], f"{at}.{name}")
        elif isinstance(theirs, list) and isinstance(mine, list):
            yield from self._lists(theirs, mine, at)
        elif _kind(theirs) != _kind(mine):
            yield f"{at}: {mine!r} is not like {theirs!r}"
        elif (key in self.same or (self.same and _within(at))) and not _equal(theirs, mine):
            yield f"{at}: {mine!r} instead of {theirs!r}"

    def _lists(self, theirs: list[Json], mine: list[Json], at: str) -> Iterator[str]:
        if at.endswith("values"):
            if len(theirs) != len(mine) or ("values" in self.same and not _equal(theirs, mine)):
                yield f"{at}: {mine} instead of {theirs}"
        elif theirs and not mine:
            yield f"{at}: nothing instead of {theirs}"
        else:
            for one in mine:
                found = (list(self.different(their, one, at)) for their in theirs)
                yield from min(found, key=len, default=[])


def _within(at: str) -> bool:
    return ".commitment_costs." in at


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _equal(theirs: Json, mine: Json) -> bool:
    if isinstance(theirs, list):
        return len(theirs) == len(mine) and all(map(_equal, theirs, mine))
    if isinstance(theirs, float | int) and isinstance(mine, float | int):
        return mine == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    return bool(theirs == mine)
