"""What goes over the wire about promises."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, StringConstraints

from handoff.clock import iso
from handoff.conversations.schemas import Legible, Storable
from handoff.promises.models import Promise


class GivePromise(BaseModel):
    """Body of `POST /conversations/{id}/promises`; `due_at` needs a zone."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Legible, Storable]
    due_at: AwareDatetime


def promise_view(promise: Promise, language: str) -> dict[str, Any]:
    """Return one promise in the reader's language."""
    return {
        "id": promise.id,
        "kind": promise.kind,
        "reference": promise.reference,
        "text": promise.text_en if language == "en" else promise.text_zh,
        "due_at": iso(promise.due_at),
        "seq": promise.seq,
        "state": promise.state,
        "created_at": iso(promise.created_at),
        "settled_at": iso(promise.settled_at),
    }
