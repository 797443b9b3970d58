"""Where customers write from, as a name that tells nobody where that is: the bot counts wrong proofs by it."""

from __future__ import annotations

import hashlib
import hmac

from handoff.settings import settings

MOST_REMEMBERED = 50_000


class Networks:
    """The last network of each conversation, in this process's memory; nothing is stored."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def note(self, conversation_id: str, address: str) -> None:
        """Remember where a conversation's customer is; nothing while the limits of addresses are off."""
        if settings.limit_conversations == "off":
            return
        self._names.pop(conversation_id, None)
        if len(self._names) >= MOST_REMEMBERED:
            del self._names[next(iter(self._names))]
        self._names[conversation_id] = address

    def name_of(self, conversation_id: str) -> str | None:
        """Return the name of the network, the same for the same one; None when it is not known."""
        address = self._names.get(conversation_id)
        if address is None:
            return None
        return hmac.new(settings.secret_key.encode(), f"network:{address}".encode(), hashlib.sha256).hexdigest()[:32]
