import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flexedge.demo.options import Options
from flexedge.demo.run import main

_DAEMON = r'''
"""Stands in for the daemon: shares the clock, reads the meter, serves the two calls."""
import http.server, json, os, pathlib, re, signal, socket, struct, sys, threading, urllib.parse
site = pathlib.Path(os.environ["FLEXEDGE_SITE"]).read_text()
ports = {n: int(re.search(n + r": \{.*port: (\d+)", site)[1]) for n in ("hybrid", "meter")}
energy = [0.0]
def ask(sock, frame):
    sock.sendall(struct.pack(">HHH", 1, 0, len(frame)) + frame)
    return sock.recv(300)[7:]
def keep_time():
    host, port = os.environ["FLEXEDGE_CLOCK"].split(":")
    meter = socket.create_connection(("127.0.0.1", ports["meter"]))
    with socket.create_connection((host, int(port))) as clock:
        now, speed = struct.unpack("<dd", clock.recv(16))
        while True:
            clock.sendall(struct.pack("<d", now + 1))
            data = clock.recv(8)
            if not data: return
            now, = struct.unpack("<d", data)
            energy[0] += struct.unpack(">f", ask(meter, struct.pack(">BBHH", 1, 4, 52, 2))[2:])[0]
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        assert self.headers["Authorization"] == "Bearer t"
        totals = {"energies_kwh": {"grid.power": energy[0] / 3.6e6},
                  "setpoints": {"written": 0, "verified": 0, "clamped": 0, "refused": 0},
                  "plans": {"count": 1, "infeasible": 0, "seconds_max": 0.5},
                  "errors": 0, "rss_mb": 50.0}
        found = {"url": "http://link"} if self.path == "/api/tickets" else totals
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps(found).encode())
    do_GET = do_POST = answer
    def log_message(self, *args): pass
if MODE == "dies":
    sys.exit("out of order")
if MODE == "grabs":
    with socket.create_connection(("127.0.0.1", ports["hybrid"])) as battery:
        ask(battery, struct.pack(">BBHHBHHi", 247, 16, 44000, 4, 8, 1, 60000, 500))
address = ("127.0.0.1", int(os.environ["FLEXEDGE_WEB__PORT"]))
server = http.server.ThreadingHTTPServer(address, Handler)
runtime = pathlib.Path(os.environ["FLEXEDGE_DATA_DIR"]) / "runtime.json"
url = f"http://127.0.0.1:{server.server_port}"
def end(*_): os._exit(0)
signal.signal(signal.SIGINT, end)
runtime.write_text(json.dumps({"url": url, "token": "t", "pid": os.getpid()}))
threading.Thread(target=keep_time, daemon=True).start()
server.serve_forever()
'''


def _daemon(mode: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"MODE = {mode!r}\n{_DAEMON}")


def _options(folder: Path, mode: str, *, json_: bool = False) -> Options:
    return Options(
        speed=1e6, days=0.01, json=json_, port=0, folder=folder / "demo", daemon=_daemon(mode)
    )


def test_days_end_with_one_json_object(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(_options(tmp_path, "good", json_=True)) == 0
    out, err = capfd.readouterr()
    assert out.count("\n") == 1
    result = json.loads(out)
    energies, truth = result["energies_kwh"], result["energies_true_kwh"]
    assert energies["grid.power"] == pytest.approx(truth["grid.power"], rel=0.01)
    assert result["energy_balance_error"] > 0.3  # the other five were not told
    assert result["cost"] == result["cost_unmanaged"]
    assert result["released"] is True
    assert result["days"] == pytest.approx(0.01)
    assert result["plans"]["count"] == 1
    assert "http://link" in err
    assert "battery: released (self-use)" in err


def test_people_get_a_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(_options(tmp_path, "good")) == 0
    assert "left alone" in capfd.readouterr().out


def test_a_control_point_still_held_is_a_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(_options(tmp_path, "grabs", json_=True)) == 1
    out, err = capfd.readouterr()
    assert json.loads(out)["released"] is False
    assert "battery: STILL HELD by 127.0.0.1:" in err


def test_a_daemon_that_dies_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(_options(tmp_path, "dies")) == 1
    assert "out of order" in capfd.readouterr().err


def test_a_wrong_option_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(Options(faults=("x",), folder=tmp_path / "demo")) == 2
    assert "not a fault" in capsys.readouterr().err


def test_it_empties_only_its_own_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    assert main(Options(folder=tmp_path)) == 2
    assert "choose another folder" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()
    for left in ("old", "kept"):
        (tmp_path / "demo").mkdir(exist_ok=True)
        (tmp_path / "demo" / ".flexedge-demo").touch()
        (tmp_path / "demo" / left).touch()
    main(_options(tmp_path, "dies"))
    assert not (tmp_path / "demo" / "old").exists()


def test_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from flexedge.demo.options import Options;"
        "from flexedge.demo.run import main;"
        f"daemon = {_daemon('good')!r};"
        f"folder = Path({str(tmp_path / 'demo')!r});"
        "raise SystemExit(main(Options(speed=50, port=0, folder=folder, daemon=daemon)))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as demo:
        assert demo.stderr is not None
        seen = b""
        while b"http://link" not in seen:
            seen += demo.stderr.readline()
        demo.send_signal(signal.SIGINT)
        rest = demo.stderr.read()
        assert demo.wait(10) == 0
    for name in (b"battery", b"solar", b"car", b"heating"):
        assert name + b": released" in rest
