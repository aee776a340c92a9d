import json
import subprocess
import sys

SPEAK = """
import logging
import structlog
from flexedge.daemon import log
log.set_up("{level}", "{style}")
structlog.get_logger().info("setpoint applied", device="hybrid", power_kw=-1.5)
structlog.get_logger().debug("too much")
logging.getLogger("uvicorn").info("chatter")
logging.getLogger("uvicorn").warning("trouble")
try:
    raise ValueError("odd")
except ValueError as error:
    structlog.get_logger().error("failed", exc_info=error)
"""


def speak(level: str, style: str) -> list[str]:
    code = SPEAK.format(level=level, style=style)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


def test_json_has_one_object_a_line_with_fields() -> None:
    lines = [json.loads(line) for line in speak("info", "auto")]
    assert lines[0]["event"] == "setpoint applied"
    assert (lines[0]["device"], lines[0]["power_kw"]) == ("hybrid", -1.5)
    assert [line["event"] for line in lines] == ["setpoint applied", "trouble", "failed"]
    assert "ValueError: odd" in lines[2]["exception"]


def test_text_is_for_people() -> None:
    lines = speak("debug", "text")
    assert "setpoint applied" in lines[0]
    assert "device=hybrid" in lines[0]
    assert "too much" in lines[1]
