"""The processor of a fog node: which run goes next, and what follows from it. Pure.

A fusion adds up a few logits: it does not wait for the branch of another frame that is being computed,
but runs beside it, in a lane of its own.
"""

from collections import Counter
from typing import Any

from numpy.typing import NDArray

from broker.actions import Publish
from broker.codec import CodecError, encode_tensor
from broker.frame import FrameTensor
from broker.messages import Result
from broker.topics import RESULT
from fog_node.counters import Counters
from fog_node.epochs import Epochs
from fog_node.events import Action, Execute, Ran
from fog_node.observations import Observations
from fog_node.partition_run import PartitionRun
from fog_node.recall import Recall
from fog_node.run_queue import RunQueue
from fog_node.serving import Serving


class _Lane:
    """The runs that wait for one thread, and since when it runs which."""

    def __init__(self) -> None:
        self.queue = RunQueue()
        self.running: tuple[PartitionRun, float] | None = None


class Processor:
    """Runs one partition at a time, and one fusion beside it."""

    def __init__(
        self, node: str, site: str, epochs: Epochs, counters: Counters, observations: Observations
    ) -> None:
        self._node, self._site = node, site
        self._epochs, self._counters, self._observations = epochs, counters, observations
        self._recall = Recall()
        self._partitions, self._fusions = _Lane(), _Lane()

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return len(self._partitions.queue) + len(self._fusions.queue)

    @property
    def drops(self) -> Counter[str]:
        """Runs that were dropped, by reason."""
        return self._partitions.queue.drops + self._fusions.queue.drops

    def _lane(self, run: PartitionRun) -> _Lane:
        return self._partitions if run.partition.fusion is None else self._fusions

    def enqueue(self, serving: Serving, runs: list[PartitionRun], now: float) -> list[Action]:
        """Have these runs wait for the processor; what was run before is answered from memory."""
        actions: list[Action] = []
        for run in runs:
            lane = self._lane(run)
            made = self._recall.made_of(run)
            if made is not None:
                self._counters.count("repeated")
                actions += self._follow(serving, run, made, started=now, seconds=0.0, now=now)
            elif lane.running is not None and lane.running[0].key == run.key:
                self._counters.count("repeated")
            else:
                lane.queue.push(run, now)
        return actions

    def dispatch(self, now: float) -> list[Action]:
        """Start what runs next, the fusion first, where nothing runs."""
        actions: list[Action] = []
        for lane in (self._fusions, self._partitions):
            run = lane.queue.pop(now) if lane.running is None else None
            if run is not None:
                lane.running = (run, now)
                actions.append(Execute(run))
        return actions

    def failed(self, run: PartitionRun) -> list[Action]:
        """Take note that a run failed; its frame goes without."""
        self._lane(run).running = None
        self._counters.count("run_failed")
        return []

    def forget(self, deployment: str, epoch: int) -> None:
        """Drop what waits for an epoch that is no longer served."""
        for lane in (self._partitions, self._fusions):
            lane.queue.forget(deployment, epoch)
        self._recall.forget(deployment, epoch)

    def ran(self, event: Ran, now: float) -> list[Action]:
        """Return what follows from a finished run."""
        run, seconds = event.run, event.seconds
        lane = self._lane(run)
        started = now if lane.running is None else lane.running[1]
        lane.running = None
        self._counters.count("runs")
        self._observations.ran(run.header.deployment, run.partition.id, seconds, now)
        serving = self._epochs.get(run.header.deployment, run.header.epoch)
        if serving is None:
            return []
        self._recall.note(run, event.outputs)
        return self._follow(serving, run, event.outputs, started=started, seconds=seconds, now=now)

    def _follow(
        self,
        serving: Serving,
        run: PartitionRun,
        outputs: dict[str, NDArray[Any]],
        *,
        started: float,
        seconds: float,
        now: float,
    ) -> list[Action]:
        """Return what follows from the outputs of a run."""
        produced = serving.produced(run, outputs, started, seconds, now)
        actions = self.enqueue(serving, produced.runs, now)
        for tensor in produced.tensors:
            actions += self._send(serving, tensor, now)
        if produced.result is not None:
            actions.append(self._answer(run, produced.result, now))
        return actions

    def _send(self, serving: Serving, tensor: FrameTensor, now: float) -> list[Action]:
        try:
            payload = encode_tensor(tensor, now)
        except CodecError as error:
            self._counters.count(f"bad_{error.kind}")
            return []
        self._counters.count("sent_bytes", len(payload))
        return [Publish(serving.topic_of_output(tensor.tensor), payload, stream=True)]

    def _answer(self, run: PartitionRun, result: Result, now: float) -> Publish:
        fusion = run.partition.fusion
        self._counters.count("answers")
        self._counters.count("incomplete", int(bool(result.missing)))
        self._counters.count("stood_in", int(fusion is not None and bool(fusion.first)))
        self._observations.answered(result, max(0.0, now - run.header.since), now)
        topic = RESULT.at(
            self._site, deployment=result.deployment, camera=result.camera, node=self._node
        )
        return Publish(topic, result.encode())
