import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flexedge.demo.site import Request, main, parse_request

_START = 1776117600.0


class Talk:
    """The site process at the other end of its pipes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.ready = self.listen()

    def listen(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.listen()

    def reads(self, port: int, *requests: bytes) -> list[bytes]:
        answers = []
        with socket.create_connection(("127.0.0.1", port), timeout=5) as device:
            for request in requests:
                device.sendall(struct.pack(">HHH", 1, 0, len(request)) + request)
                answers.append(device.recv(300)[7:])
        return answers


@contextmanager
def _site(*arguments: str) -> Iterator[Talk]:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "flexedge.demo.site", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        talk = Talk(process)
        yield talk
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_conversation_with_held_and_released_controls() -> None:
    with _site("--start", str(_START), "--speed", "1e6", "--days", "0.01", "--hold") as site:
        assert site.ready["event"] == "ready"
        assert site.ready["now"] == _START
        ports = site.ready["ports"]
        site.reads(ports["battery"], struct.pack(">BBHHBHHi", 247, 16, 44000, 4, 8, 1, 60, 500))
        battery = site.ask('{"do": "report"}')["controls"]["battery"]
        assert not battery["released"]
        assert battery["by"].startswith("127.0.0.1:")
        done = site.ask('{"device": "meter", "do": "stop"}')
        assert done == {"event": "done", "device": "meter", "do": "stop"}
        with pytest.raises(ConnectionRefusedError):
            site.reads(ports["meter"], struct.pack(">BBHH", 1, 4, 52, 2))
        assert site.ask('{"broker": "stop"}')["device"] == "broker"
        assert site.ask('{"broker": "start"}')["event"] == "done"
        assert site.ask('{"device": "toaster", "do": "stop"}')["event"] == "error"
        assert site.ask("nonsense")["event"] == "error"
        clock = socket.create_connection(("127.0.0.1", site.ready["clock"]), timeout=5)
        with clock:
            assert struct.unpack("<dd", clock.recv(16)) == (_START, 1e6)
            clock.sendall(struct.pack("<d", _START + 900))
            finished = site.listen()
        assert finished["event"] == "finished"
        assert finished["now"] == _START + 864
        assert site.ask('{"do": "report"}')["controls"]["battery"]["released"]


def test_a_fault_on_the_command_line_happens() -> None:
    arguments = ("--start", str(_START), "--speed", "1e6", "--hold", "--fault", "solar:stop@5+1e9")
    assert main(arguments) == 2
    with (
        _site(*arguments[:-1], "solar:stop@5+1000000") as site,
        socket.create_connection(("127.0.0.1", site.ready["clock"]), timeout=5) as clock,
    ):
        clock.recv(16)
        clock.sendall(struct.pack("<d", _START + 10))
        clock.recv(8)
        site.ask('{"do": "report"}')
        with pytest.raises(ConnectionRefusedError):
            site.reads(site.ready["ports"]["solar"], b"\1\3\x9c\x40\0\2")


def test_requests() -> None:
    assert parse_request('{"device": "battery", "do": "stop"}') == Request("battery", "stop")
    assert parse_request('{"broker": "stop"}') == Request("broker", "stop")
    assert parse_request('{"do": "report"}') == Request("", "report")
    for line in ("", "[]", "{"):
        with pytest.raises(ValueError, match=r"."):
            parse_request(line)


def test_an_unknown_device_in_a_fault_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fault", "toaster:stop@1+1"]) == 2
    assert "toaster" in capsys.readouterr().err
