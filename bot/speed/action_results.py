"""Checking what an action sent back: each time, Rasa first checks its own JSON schema against the schema of schemas."""

from typing import Any

from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.shared.utils.schemas.events import EVENT_SCHEMA

from bot.speed.patch import Patch

_SCHEMA = RemoteAction.action_response_format_spec()
_WHOLE = validator_for(_SCHEMA)(_SCHEMA)
_ANY_EVENT = {name: part for name, part in EVENT_SCHEMA.items() if name != "oneOf"}
_EVENTS = {
    kind["properties"]["event"]["const"]: validator_for(_SCHEMA)({**_ANY_EVENT, "allOf": [kind]})
    for kind in EVENT_SCHEMA["oneOf"]
}
_PLAIN_SLOT = {"event", "timestamp", "name", "value"}


def _validate(self: RemoteAction, result: dict[str, Any]) -> bool:
    """True for a result in the right form; raises ValidationError with the same explanation as Rasa's for others."""
    if _looks_right(result):
        return True
    try:
        _WHOLE.validate(result)
    except ValidationError as error:
        error.message += ". Failed to validate Action server response from API, make sure your response is valid."
        raise
    return True


def _looks_right(result: dict[str, Any]) -> bool:
    """Each event against the one form that its name stands for, instead of against all of them."""
    events, responses = result.get("events", []), result.get("responses", [])
    if not isinstance(events, list) or not isinstance(responses, list):
        return False
    return all(isinstance(response, dict) for response in responses) and all(map(_event_looks_right, events))


def _event_looks_right(event: Any) -> bool:
    if not isinstance(event, dict):
        return False
    if _is_plain_slot(event):
        return True
    name = event.get("event")
    return isinstance(name, str) and name in _EVENTS and _EVENTS[name].is_valid(event)


def _is_plain_slot(event: dict[str, Any]) -> bool:
    """Most events of an action set a slot."""
    return (
        event.get("event") == "slot"
        and event.keys() == _PLAIN_SLOT
        and isinstance(event["name"], str)
        and event["timestamp"] is None
    )


def _apply() -> None:
    RemoteAction._validate_action_result = _validate


PATCH = Patch(
    "Checking what actions send",
    {
        "rasa.core.actions.action.RemoteAction._validate_action_result": "f8cdb4be6812",
        "rasa.core.actions.action.RemoteAction.action_response_format_spec": "091b74aa3738",
        "rasa.shared.utils.schemas.events": "b7898d66fc1a",
    },
    _apply,
)
