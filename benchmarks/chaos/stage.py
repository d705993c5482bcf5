"""The stage of one run: broker, coordinator, fog nodes and cameras, all real processes."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.chaos.broker_process import BrokerProcess, persistent_settings
from benchmarks.chaos.cameras import Cameras
from benchmarks.chaos.disk import small_disk
from benchmarks.chaos.networks import make_bundle
from benchmarks.chaos.parts import COORDINATOR, Parts, StageError, wait_until
from benchmarks.chaos.processor import Processors
from benchmarks.chaos.relay import Relay
from benchmarks.chaos.setting import Setting
from benchmarks.chaos.witness import Witness
from broker.access.join_file import Role
from broker.engine.choice import choose_engine
from coordinator.demo.ways_in import Closed, Open, WaysIn

SITE: Final = "chaos"
DEPLOYMENT: Final = "digits"
OPERATOR: Final = "anna"
CLOSED: Final = "closed"
"""The engine that is Mosquitto with TLS, rights and signatures."""
_TELL_S: Final = 12.0


def check_engine(engine: str) -> None:
    """Raise EngineError where this machine has no such broker; a closed fog needs Mosquitto."""
    choose_engine("mosquitto" if engine == CLOSED else engine)


@contextmanager
def staged(setting: Setting, engine: str, seed: int) -> "Iterator[Stage]":
    """Yield a stage in a folder of its own, with the setting's network.

    Raises:
        StageError: the scene did not come about.
    """
    with TemporaryDirectory(prefix="fogweave-stage-") as folder:
        bundles = Path(folder, "bundles")
        make_bundle(setting.network, bundles / setting.network)
        with Stage(Path(folder), setting, bundles, engine, random.Random(seed)) as stage:
            yield stage


class Stage:
    """One scene; faults act on it. ``draw`` is the run's own source of chance."""

    def __init__(
        self, folder: Path, setting: Setting, bundles: Path, engine: str, draw: random.Random
    ) -> None:
        self.setting, self.draw = setting, draw
        self.parts = Parts(folder)
        self.links: dict[str, Relay] = {}
        self.unsure: set[str] = set()
        """Nodes of which ``status`` may say either: they are just coming or going."""
        self.marks: list[float] = []
        self.notes: dict[str, float] = {}
        self.refusals: list[str] = []
        """What was refused of the commands that are part of the fault."""
        self._folder, self._bundles, self._engine = folder, bundles, engine
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        setting, stack = self.setting, self._stack
        for part, size in setting.disks.items():
            stack.enter_context(small_disk(self.state_dir(part), size))
        self.processors = stack.enter_context(Processors())
        stack.enter_context(self.parts)
        self.ways_in = self._ways_in()
        self.broker = BrokerProcess(self.parts, self.ways_in.broker_options)
        self.broker.start()
        self.witness = Witness(self.ways_in.bus("reader", "witness", self.broker.port), SITE)
        stack.callback(self.witness.close)
        self.cameras = Cameras(self.parts, self._folder, DEPLOYMENT)
        self.start(COORDINATOR)
        for node in setting.node_names:
            if setting.relayed:
                relay = Relay("127.0.0.1", self.broker.port)
                self.links[node] = stack.enter_context(relay)
            self.start(node)
        for part in (COORDINATOR, *setting.node_names):
            self.parts.wait_ready(part)
        self.command(*self.deployment_of(setting.network))
        wait_until(lambda: bool(self.witness.placement), "the placement")
        if setting.share is not None:
            for node in setting.node_names:
                self.processors.limit(self.parts.pid(node), setting.share)

    def _ways_in(self) -> WaysIn:
        if self._engine == CLOSED:
            return Closed(self._folder, SITE)
        settings = persistent_settings(self._folder) if self.setting.persistent else None
        return Open(self._engine, SITE, settings)

    def end(self) -> None:
        """Ask all processes to end, so that their last words can be read."""
        self.witness.close()
        self.parts.end_all()

    # --- parts --------------------------------------------------------------------------------

    def start(self, part: str, *, state_dir: Path | None = None) -> None:
        """Start the coordinator or a fog node, again after its end too."""
        state = ("--state-dir", str(state_dir or self.state_dir(part)))
        if part.startswith(COORDINATOR):
            command = ("fog-coordinator", "serve", *self.joins("coordinator", part), *state)
            self.parts.run(part, COORDINATOR, *command)
            return
        memory = self.setting.memory_mb
        limits = ("--threads", "1", *(() if memory is None else ("--memory-mb", str(memory))))
        self.parts.run(part, "node", "fog-node", "run", *self.joins("node", part), *state, *limits)

    def stream(self, camera: str, **other: Any) -> None:
        """Start a camera, by the setting but for ``other``: fps, seconds, delivery."""
        setting = self.setting
        usual = {"fps": setting.fps, "seconds": setting.seconds, "delivery": setting.delivery}
        self.cameras.start(camera, self.joins("camera", camera), **(usual | other))

    def joins(self, role: Role, part: str) -> tuple[str, ...]:
        """Return the options by which a part joins the fog, over its relay if it has one."""
        relay = self.links.get(part)
        port = None if relay is None else relay.port
        return self.ways_in.options(role, part, self.broker.port, port)

    def state_dir(self, part: str) -> Path:
        """Return a part's state folder."""
        return self._folder / f"state-{part}"

    # --- who is where -------------------------------------------------------------------------

    @property
    def fusion_node(self) -> str:
        """The node where the branches merge."""
        return self.witness.placement["fusion"]

    def branch_node(self, *but: str) -> str:
        """Return a node, drawn, that runs a branch and not the fusion."""
        placement = self.witness.placement
        nodes = set(placement.values()) - {placement["fusion"], *but}
        if not nodes:
            raise StageError("every partition is on the node of the fusion")
        return self.draw.choice(sorted(nodes))

    def artifacts(self) -> dict[str, str]:
        """Return the sha256 of each partition of the setting's network."""
        manifest = json.loads((self._bundles / self.setting.network / "bundle.json").read_text())
        return {part["id"]: part["sha256"] for part in manifest["partitions"]}

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def mark(self) -> None:
        """Take note that the fault strikes now; recovery is counted from the last mark."""
        self.marks.append(time.time())

    # --- what a person does -------------------------------------------------------------------

    def deployment_of(self, network: str) -> tuple[str, ...]:
        """Return the arguments that deploy a network and wait until it serves."""
        bundle = str(self._bundles / network)
        return ("deploy", bundle, "--name", DEPLOYMENT, "--wait", *self.ways_in.signing)

    def redeploy(self) -> None:
        """Have the deployment placed anew."""
        self.tell("redeploy", DEPLOYMENT, "--wait")

    def tell(self, *arguments: str) -> None:
        """Run ``fog-coordinator`` as a part of the fault; its refusal is noted, not raised."""
        began = time.monotonic()
        code, _, words = self.attempt(*arguments, patience_s=_TELL_S)
        self.notes[f"{arguments[0]}_s"] = time.monotonic() - began
        if code:
            self.refusals.append(f"{arguments[0]}: {words}")

    def command(self, *arguments: str, patience_s: float = 60.0) -> dict[str, Any]:
        """Run ``fog-coordinator`` with ``--json`` and return what it says.

        Raises:
            StageError: it was refused.
        """
        code, out, words = self.attempt(*arguments, "--json", patience_s=patience_s)
        if code:
            raise StageError(f"{arguments[0]}: {words}")
        said: dict[str, Any] = json.loads(out)
        return said

    def attempt(self, *arguments: str, patience_s: float = 60.0) -> tuple[int, str, str]:
        """Run ``fog-coordinator``; return its code, its output and its last line of complaint."""
        program = Path(sys.executable).with_name("fog-coordinator")
        try:
            done = subprocess.run(
                [program, *arguments, *self.joins("operator", OPERATOR)],
                capture_output=True,
                text=True,
                check=False,
                timeout=patience_s,
            )
        except subprocess.TimeoutExpired:
            return 124, "", f"did not end within {patience_s:g} s"
        lines = done.stderr.strip().splitlines()
        return done.returncode, done.stdout, lines[-1] if lines else ""
