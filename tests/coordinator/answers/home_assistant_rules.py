"""Home Assistant's rules for what it discovers, as far as we use it: frozen, to be compared with.

Read from ``homeassistant`` 2026.2.3, ``components/mqtt``: DEVICE_DISCOVERY_SCHEMA,
MQTT_ENTITY_DEVICE_INFO_SCHEMA, MQTT_ORIGIN_INFO_SCHEMA and _MQTT_AVAILABILITY_SCHEMA of ``schemas.py``; the platform schemas
of ``sensor.py`` and ``image.py`` with their checks; TOPIC_MATCHER of ``discovery.py``. A key that a platform does not
know is dropped in silence (REMOVE_EXTRA), so here it is an error.
"""

import re
from typing import Any

TOPIC = re.compile(r"\w+/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")

_AVAILABILITY = {
    "availability", "availability_mode", "availability_template", "availability_topic",
    "payload_available", "payload_not_available",
}  # fmt: skip
_ENTITY = _AVAILABILITY | {
    "default_entity_id", "device", "enabled_by_default", "encoding", "entity_category", "entity_picture", "icon",
    "json_attributes_template", "json_attributes_topic", "name", "object_id", "origin", "platform", "qos", "unique_id",
}  # fmt: skip
_SENSOR = _ENTITY | {
    "device_class", "expire_after", "force_update", "last_reset_value_template", "options", "state_class", "state_topic",
    "suggested_display_precision", "unit_of_measurement", "value_template",
}  # fmt: skip
_IMAGE = _ENTITY | {"content_type", "image_encoding", "image_topic", "url_template", "url_topic"}
KEYS = {"sensor": _SENSOR, "image": _IMAGE}
TOP = _AVAILABILITY | {
    "command_topic", "components", "device", "encoding", "origin", "qos", "state_topic",
}  # fmt: skip
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
ORIGIN = {"name", "support_url", "sw_version"}
AVAILABILITY_OF_A_TOPIC = {"payload_available", "payload_not_available", "topic", "value_template"}
MODES = {"all", "any", "latest"}
CATEGORIES = {"config", "diagnostic"}
MOST_STATE = 255  # MAX_LENGTH_STATE_STATE


def check(told: dict[str, Any]) -> None:
    """Check a device's discovery payload, spelled out.

    Raises:
        AssertionError: Home Assistant would not take it, or drop something of it.
    """
    assert told.keys() <= TOP
    assert {"components", "device", "origin"} <= told.keys()
    assert told["device"].keys() <= DEVICE
    assert told["device"].get("identifiers") or told["device"].get("connections")
    assert told["origin"].keys() <= ORIGIN
    assert told["origin"]["name"]
    _check_availability(told)
    for component in told["components"].values():
        _check_component(component)
    ids = [component["unique_id"] for component in told["components"].values()]
    assert len(set(ids)) == len(ids)


def _check_availability(told: dict[str, Any]) -> None:
    assert not {"availability", "availability_topic"} <= told.keys()
    assert told.get("availability_mode", "latest") in MODES
    for each in told.get("availability", ()):
        assert each.keys() <= AVAILABILITY_OF_A_TOPIC
        assert _is_topic(each["topic"])


def _check_component(component: dict[str, Any]) -> None:
    platform = component["platform"]
    assert component.keys() <= KEYS[platform]
    assert component["unique_id"]
    assert component["default_entity_id"].startswith(f"{platform}.")
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", component["default_entity_id"])
    assert component.get("entity_category", "diagnostic") in CATEGORIES
    assert re.fullmatch(r"[\w-]+:[\w-]+", component.get("icon", "mdi:cctv"))
    _check_availability(component)
    if platform == "image":
        assert ("image_topic" in component) != ("url_topic" in component)
        assert not {"content_type", "url_topic"} <= component.keys()
        assert _is_topic(component["image_topic"])
        return
    assert _is_topic(component["state_topic"])
    options = component.get("options")
    if options is not None:
        assert options
        assert component["device_class"] == "enum"
        assert not {"state_class", "unit_of_measurement"} & component.keys()
        assert all(0 < len(option) <= MOST_STATE for option in options)


def _is_topic(topic: str) -> bool:
    return bool(topic) and not set(topic) & set("+#\0") and len(topic.encode()) <= 65_535
