"""How ``fog-camera`` ends: with what its streams came to, whatever it is at when it is told to stop."""

import json
import signal
import time

import pytest

from broker.engine.running import RunningBroker
from fog_node.camera.report import Report
from tests.broker.processes import ended, started
from tests.fog_node.camera.served import serving
from tests.fog_node.sources.web_camera import web_camera

CAMERA = "from fog_node.entry import fog_camera; fog_camera()"
SLOW_CAMERA = f"""
import sys, time
from fog_node.camera import stream_command
def opens(*_):
    print("opens", file=sys.stderr, flush=True)
    time.sleep(60)
stream_command.open_sources = opens
{CAMERA}
"""


def test_sigterm_ends_with_the_summary_while_a_read_hangs(
    mosquitto: RunningBroker, site: str
) -> None:
    with web_camera() as hanging, serving(mosquitto.url, site):
        hanging.behaviour = "hang"
        options = ["--deployment", "digits", "--id", "door", "--source", hanging.url]
        options += ["--broker", mosquitto.url, "--site", site]
        with started("-c", CAMERA, "stream", *options) as process:
            while not hanging.asked:
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert out.startswith("door: 0 sent, 0 answered")


def test_sigterm_ends_with_the_summary_while_the_source_is_opened(
    nobody: str,
) -> None:
    options = ["--deployment", "digits", "--id", "door", "--source", "mnist", "--json"]
    with started("-c", SLOW_CAMERA, "stream", *options, "--broker", nobody) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "opens\n"
        process.send_signal(signal.SIGTERM)
        code, out, _ = ended(process)
    assert (code, json.loads(out)["sent"]) == (0, 0)


def test_where_no_camera_shows_itself_the_summary_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Report(None, quiet=False, as_json=False).end_all([], {"source": {"no_picture": 2}})
    assert capsys.readouterr().out == "no camera has shown itself\nsource: no_picture 2\n"
