"""Finding an event's class by its name: Rasa walks the whole tree of classes for each event that it reads."""

from rasa.shared.core.events import Event

from bot.speed.patch import Patch

_resolve = Event.resolve_by_type
_classes: dict[str, type[Event]] = {}


def resolve_by_type(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
    """The event class with this name, remembered once it was found."""
    found = _classes.get(type_name)
    if found is None:
        found = _resolve(type_name, default)
        if found is not None and found is not default:
            _classes[type_name] = found
    return found


def _apply() -> None:
    Event.resolve_by_type = staticmethod(resolve_by_type)


PATCH = Patch(
    "Reading events",
    {"rasa.shared.core.events.Event.resolve_by_type": "b5cf570fa7f2"},
    _apply,
)
