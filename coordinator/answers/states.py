"""The states of a site's cameras: answers in, retained states out; no I/O, no clock of its own.

Only the coordinator that acts writes them. What an earlier one wrote is read back from the broker, so a
state lasts over a restart, and says of itself what else is retained of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from broker.actions import Publish
from broker.answering import Answering
from broker.camera_state import State
from broker.frame import FrameTensor
from broker.messages import Active
from broker.payload import MessageError
from broker.retained import Retained
from broker.topics import STATE
from coordinator.answers.answer import Answer
from coordinator.answers.attention import Attention
from coordinator.answers.cameras import MOST, Camera, Cameras, Key
from coordinator.answers.home_assistant import HomeAssistant, cleared
from coordinator.answers.rules import Rules
from coordinator.fog.failures import Failures

HOLD_S: Final = 1.0
"""Between two labels of one camera: what flickers costs a message a second, the last label wins."""
GONE_S: Final = 7 * 86_400.0
"""Who was silent for so long is no camera any more."""


@dataclass(slots=True)
class _Served:
    """What serves a deployment, and who answers for it."""

    active: Active
    classes: frozenset[str]
    answering: Answering


class States:
    """All of them; ``wall_s`` added to the seconds of ``now`` gives Unix seconds."""

    def __init__(
        self,
        site: str,
        rules: Rules,
        failures: Failures,
        wall_s: float,
        home_assistant: HomeAssistant | None = None,
    ) -> None:
        self._site, self._rules, self._failures, self._wall_s = site, rules, failures, wall_s
        self._home_assistant = home_assistant
        self._cameras = Cameras(rules.equal_answers)
        self._retained = Retained(site)
        self._unread: set[Key] = set()
        self._served: dict[str, _Served] = {}
        self._attention = Attention(rules.equal_answers)
        self._acts = False

    # --- what is to be heard ----------------------------------------------------------------

    def answering(self, now: float) -> frozenset[tuple[str, str]]:
        """Return the nodes whose answers are to be heard now, by deployment."""
        stir = {key[0] for key, camera in self._cameras if camera.agreement.stirs}
        known: dict[str, list[str]] = {}
        for (name, camera), _ in self._cameras:
            known.setdefault(name, []).append(camera)
        return frozenset(
            (name, node)
            for name, served in self._served.items()
            if self._attention.listens(name, known.get(name, ()), now, stirs=name in stir)
            for node in served.answering.nodes
        )

    def watched(self, now: float) -> frozenset[Key]:
        """Return the cameras whose frames are to be heard."""
        return frozenset() if self._home_assistant is None else self._home_assistant.watched(now)

    # --- what happens -----------------------------------------------------------------------

    def connected(self) -> None:
        """Take note of a new connection: echoes of what was sent before do not come any more."""
        self._retained.connected()

    def retained(self, key: Key, payload: bytes, now: float) -> list[Publish]:
        """Take what a state topic retains: before we act to go on from it, later to say ours again.

        Raises:
            MessageError: it is no state, or another camera's.
        """
        deployment, camera = key
        foreign = self._retained.heard(STATE, payload, deployment=deployment, camera=camera)
        if not self._acts:
            self._drop(key)
            if len(self._unread) < MOST:
                self._unread.add(key)  # until it was
            if payload:
                state = State.decode(payload, deployment=deployment, camera=camera)
                self._remember(key, state, now)
            self._unread.discard(key)
            return []
        ours = self._retained.published(STATE, deployment=deployment, camera=camera)
        if not payload or ours or not foreign:
            return []
        try:
            also = State.decode(payload, deployment=deployment, camera=camera).home_assistant
        except MessageError:
            also = ""
        return self._cleared(key, also)

    def begin(self) -> list[Publish]:
        """Begin to act: what is retained is ours from now on, also what another Home Assistant was told.

        What could not be read, of another version or of nobody, is cleared: nobody else would.
        """
        self._acts = True
        actions: list[Publish] = []
        for key, camera in self._cameras:
            if camera.state is not None:
                actions += self._publish(key, camera, camera.state)
        for key in self._unread:
            actions += self._cleared(key, self._rules.home_assistant)
        self._unread.clear()
        return actions

    def serve(self, serving: Mapping[str, Active], known: Collection[str]) -> list[Publish]:
        """Take what serves, by deployment, and the names of all that are wanted or served."""
        actions: list[Publish] = []
        for name in (self._cameras.deployments | self._served.keys()) - set(known):
            self._served.pop(name, None)
            self._attention.forget(name)
            actions += self._end(self._cameras.of(name))
        for name, active in serving.items():
            before = self._served.get(name)
            if before is not None and before.active == active:
                continue
            answering = Answering() if before is None else before.answering
            answering.activate(active)
            self._served[name] = _Served(active, frozenset(active.classes), answering)
            actions += self._revised(name)
        return actions

    def frame(self, frame: FrameTensor) -> None:
        """Take a camera's frame."""
        if self._home_assistant is not None:
            self._home_assistant.frame(frame)

    def hear(self, node: str, answer: Answer, now: float) -> list[Publish]:
        """Take an answer of a node."""
        key = answer.deployment, answer.camera
        served = self._served.get(answer.deployment)
        if served is None or not served.answering.may_answer(node, answer.epoch):
            return []
        if answer.label not in served.classes:
            return []  # of the bundle before
        camera, gone = self._cameras.admit(key, now)
        actions = self._end([(gone, None)]) if gone else []
        if camera is None:
            self._failures.note("too_many", f"there is no room for the state of camera {key[1]}")
            return actions
        camera.heard_at = now
        self._attention.hears(*key, now)
        meaning = camera.agreement.hear(answer, now)
        if meaning == "agreed":
            actions += self._agreed(key, camera, now)
        elif camera.state is not None and camera.state.silent_since is not None:
            actions += self._say(
                key, camera, camera.state.model_copy(update={"silent_since": None})
            )
        if self._home_assistant is not None:
            actions += self._home_assistant.answered(meaning, answer, served.active.input, now)
        return actions

    def tick(self, now: float) -> list[Publish]:
        """Return what is due; call it a few times a second."""
        actions: list[Publish] = []
        for key, camera in self._cameras:
            if camera.unsaid and camera.state is not None and now - camera.said_at >= HOLD_S:
                actions += self._labelled(key, camera, camera.state, now)
            if now - camera.heard_at < self._rules.silent_s:
                continue
            state, heard = camera.state, camera.heard_at + self._wall_s
            if state is None:
                self._drop(key)
            elif state.silent_since is None:
                said = state.model_copy(update={"silent_since": max(0.0, heard)})
                actions += self._say(key, camera, said)
            elif now + self._wall_s - state.silent_since >= GONE_S:
                actions += self._end([(key, camera)])
        actions += self._retained.again(now)
        return actions + self._told_again(now)

    def status(self, payload: bytes, now: float) -> None:
        """Take what Home Assistant says of itself."""
        if self._home_assistant is not None:
            self._home_assistant.status(payload, now)

    # --- what follows -----------------------------------------------------------------------

    def _remember(self, key: Key, state: State, now: float) -> None:
        camera, gone = self._cameras.admit(key, now)
        if gone is not None:
            self._drop(gone)
        if camera is None:
            self._failures.note("too_many", f"there is no room for the state of camera {key[1]}")
            return
        camera.state, camera.heard_at = state, now
        camera.agreement.resume(state.label, state.confidence, state.since - self._wall_s)
        self._cameras.prove(key, now)

    def _agreed(self, key: Key, camera: Camera, now: float) -> list[Publish]:
        agreed = camera.agreement
        self._cameras.prove(key, now)
        state = State(
            deployment=key[0],
            camera=key[1],
            label=agreed.label or "",
            confidence=agreed.confidence,
            since=max(0.0, agreed.since + self._wall_s),
            home_assistant=camera.state.home_assistant if camera.state is not None else "",
        )
        if now - camera.said_at < HOLD_S:
            camera.state, camera.unsaid = state, True
            return []
        return self._labelled(key, camera, state, now)

    def _labelled(self, key: Key, camera: Camera, state: State, now: float) -> list[Publish]:
        camera.said_at, camera.unsaid = now, False
        return self._publish(key, camera, state)

    def _publish(self, key: Key, camera: Camera, state: State) -> list[Publish]:
        """Return what retains a state, and what shows it where it is to be, or no longer is."""
        ours = self._home_assistant.prefix if self._home_assistant is not None else ""
        before = camera.state.home_assistant if camera.state is not None else ""
        actions = cleared(self._site, key, before) if before not in ("", ours) else []
        actions += self._say(key, camera, state.model_copy(update={"home_assistant": ours}))
        return actions + self._shown(key, camera)

    def _say(self, key: Key, camera: Camera, state: State) -> list[Publish]:
        camera.state = state
        return self._retained.publish(STATE, state, deployment=key[0], camera=key[1])

    def _shown(self, key: Key, camera: Camera) -> list[Publish]:
        served = self._served.get(key[0])
        if self._home_assistant is None or camera.state is None or served is None:
            return []
        return self._home_assistant.shows(camera.state, served.active)

    def _revised(self, name: str) -> list[Publish]:
        """Clear the states that what serves now has no class for; Home Assistant hears of new classes."""
        classes = self._served[name].classes
        actions: list[Publish] = []
        for key, camera in self._cameras.of(name):
            if camera.state is not None and camera.state.label not in classes:
                actions += self._end([(key, camera)])
            else:
                actions += self._shown(key, camera)
        return actions

    def _told_again(self, now: float) -> list[Publish]:
        if self._home_assistant is None:
            return []
        due = self._home_assistant.due(now)
        actions: list[Publish] = []
        for key, camera in self._cameras if due else ():
            if camera.state is None:
                continue
            if due == "devices":
                actions += self._shown(key, camera)
            else:
                text = STATE.at(self._site, deployment=key[0], camera=key[1])
                actions.append(self._retained.say(text, camera.state.encode()))
        return actions

    # --- ends -------------------------------------------------------------------------------

    def _end(self, cameras: Collection[tuple[Key, Camera | None]]) -> list[Publish]:
        """Clear what is retained of cameras, and forget them."""
        actions: list[Publish] = []
        for key, camera in cameras:
            known = camera or self._cameras.get(key)
            state = known.state if known is not None else None
            self._drop(key)
            if state is not None:
                actions += self._cleared(key, state.home_assistant)
        return actions

    def _cleared(self, key: Key, home_assistant: str) -> list[Publish]:
        also = cleared(self._site, key, home_assistant) if home_assistant else []
        return [*also, *self._retained.clear(STATE, deployment=key[0], camera=key[1])]

    def _drop(self, key: Key) -> None:
        self._cameras.drop(key)
        if self._home_assistant is not None:
            self._home_assistant.forgets(key)
