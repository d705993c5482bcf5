"""What people do to a running fog: deploy anew, update, take away, add nodes, mistake themselves."""

from typing import Final

from benchmarks.chaos.fault import Fault
from benchmarks.chaos.parts import COORDINATOR, StageError
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.stage import DEPLOYMENT, Stage

_DAY_MS: Final = 24 * 3600 * 1000
_SECOND_COORDINATOR: Final = f"{COORDINATOR}-2"


def _redeploy(stage: Stage) -> None:
    stage.redeploy()


def _update(stage: Stage) -> None:
    stage.tell(*stage.deployment_of("other"))


def _undeploy_and_deploy(stage: Stage) -> None:
    stage.tell("undeploy", DEPLOYMENT)
    stage.wait(1.0)
    stage.mark()
    stage.tell(*stage.deployment_of(stage.setting.network))


def _join(stage: Stage) -> None:
    stage.start("node-5")


def _flap(stage: Stage) -> None:
    node = stage.branch_node()
    for _ in range(3):
        stage.parts.kill(node)
        stage.wait(0.5)
        stage.start(node)
        stage.parts.wait_ready(node)
        stage.wait(1.0)


def _clock(stage: Stage) -> None:
    """Make a node's last start lie in tomorrow, as one looks whose clock has jumped back."""
    node = stage.branch_node()
    for ahead in (_DAY_MS, 0):
        stage.parts.kill(node)
        number = stage.state_dir(node) / "session"
        if not number.exists():
            raise StageError("a node keeps the number of its last start no longer in `session`")
        number.write_text(str(int(number.read_text()) + ahead))
        stage.start(node)
        stage.parts.wait_ready(node)
        stage.wait(2.0)


def _two_coordinators(stage: Stage) -> None:
    stage.start(_SECOND_COORDINATOR)
    stage.parts.wait_ready(_SECOND_COORDINATOR)
    stage.wait(4.0)
    stage.mark()
    stage.parts.kill(stage.branch_node())


WISHES = (
    Fault("redeploy", "`redeploy` in mid-stream", _redeploy),
    Fault(
        "update-other-shape",
        "a network that takes pictures of another shape is deployed in mid-stream",
        _update,
        networks=("other",),
    ),
    Fault(
        "undeploy-deploy",
        "`undeploy`, and 1 s later `deploy`, from when recovery is counted",
        _undeploy_and_deploy,
        Setting(seconds=13.0),
    ),
    Fault("joining-node", "a fifth node joins", _join),
    Fault(
        "flapping-node",
        "a branch's node is killed and started again three times",
        _flap,
        Setting(seconds=18.0),
    ),
    Fault(
        "clock-jump",
        "a branch's node is killed and comes back from a start a day ahead, twice, as after a clock "
        "that jumped back",
        _clock,
        Setting(seconds=18.0),
    ),
    Fault(
        "two-coordinators",
        "a second coordinator with an empty folder; 4 s later SIGKILL of a branch's node",
        _two_coordinators,
        Setting(seconds=18.0),
    ),
)
