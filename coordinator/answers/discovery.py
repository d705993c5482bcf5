"""What a Home Assistant is told of a camera: one device with its entities; pure.

Device discovery is documented at https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload;
the keys are those of its own schemas (``homeassistant/components/mqtt``), spelled out.
"""

import json
from typing import Any, Final

from broker.camera_state import State
from broker.messages import OFFLINE, ONLINE, Active
from broker.topics import COORDINATOR_STATE, HOME_ASSISTANT_CONFIG, PICTURE, STATE
from coordinator.answers.cameras import Key

MOST_OPTIONS: Final = 100
"""More classes are not listed: the sensor is one of text then."""
MOST_STATE: Final = 255
"""Characters of a state, by Home Assistant's rules."""

_THERE: Final = (
    f"{{{{ '{OFFLINE.decode()}' if value_json.silent_since else '{ONLINE.decode()}' }}}}"
)
_LABEL: Final = f"{{{{ value_json.label[:{MOST_STATE}] }}}}"
_SINCE: Final = "{{ value_json.since | timestamp_local }}"
_CONFIDENCE: Final = "{{ (value_json.confidence * 100) | round(1) }}"


def device_id(site: str, key: Key) -> str:
    """Return what a camera of a deployment is called at a Home Assistant; ids hold no ``_``, so it is unique."""
    return f"fogweave_{site}_{key[0]}_{key[1]}"


def config_topic(site: str, key: Key, prefix: str) -> str:
    """Return where a camera is told of."""
    return HOME_ASSISTANT_CONFIG.under(prefix).at(site, device=device_id(site, key))


def config(site: str, state: State, active: Active, version: str) -> bytes:
    """Return what tells of a camera; ``active`` is what serves its deployment."""
    deployment, camera = state.deployment, state.camera
    device, name = device_id(site, (deployment, camera)), f"{deployment} {camera}"
    topic = STATE.at(site, deployment=deployment, camera=camera)
    entity = f"{deployment}_{camera}".replace("-", "_")
    ours = {"name": "Fogweave", "sw_version": version}
    told = {
        "device": {
            "identifiers": [device],
            "name": name,
            "manufacturer": ours["name"],
            "model": f"{active.bundle.name} {active.bundle.version}",
            "sw_version": version,
        },
        "origin": ours,
        "availability_mode": "all",
        "availability": [
            {"topic": COORDINATOR_STATE.at(site)},
            {"topic": topic, "value_template": _THERE},
        ],
        "components": {
            "state": {
                "platform": "sensor",
                "unique_id": f"{device}_state",
                "default_entity_id": f"sensor.{entity}",
                "name": None,
                "icon": "mdi:cctv",
                "state_topic": topic,
                "value_template": _LABEL,
                **_options(active.classes),
            },
            "confidence": {
                "platform": "sensor",
                "unique_id": f"{device}_confidence",
                "default_entity_id": f"sensor.{entity}_confidence",
                "name": "Confidence",
                "entity_category": "diagnostic",
                "state_topic": topic,
                "value_template": _CONFIDENCE,
                "unit_of_measurement": "%",
                "suggested_display_precision": 0,
            },
            "since": {
                "platform": "sensor",
                "unique_id": f"{device}_since",
                "default_entity_id": f"sensor.{entity}_since",
                "name": "Since",
                "entity_category": "diagnostic",
                "device_class": "timestamp",
                "state_topic": topic,
                "value_template": _SINCE,
            },
            "picture": {
                "platform": "image",
                "unique_id": f"{device}_picture",
                "default_entity_id": f"image.{entity}",
                "name": "Picture",
                "image_topic": PICTURE.at(site, deployment=deployment, camera=camera),
                "content_type": "image/jpeg",
            },
        },
    }
    return json.dumps(told).encode()


def _options(classes: tuple[str, ...]) -> dict[str, Any]:
    """Return that the sensor has one of so many values, where they can be listed."""
    options = list(dict.fromkeys(name[:MOST_STATE] for name in classes))
    if not 1 <= len(options) <= MOST_OPTIONS or "" in options:
        return {}
    return {"device_class": "enum", "options": options}
