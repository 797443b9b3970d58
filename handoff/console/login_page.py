"""`/desk/login`: the one login for all pages."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from pydantic import ValidationError

from handoff.agents.endpoints import Login
from handoff.agents.service import authenticate
from handoff.console import access
from handoff.console.components import Bridge, LoginForm
from handoff.console.words import words
from handoff.errors import ApiError
from handoff.locales import LANGUAGES


class LoginPage:
    """Name and password; wrong ones are slowed down by the same guard as the API's."""

    def __init__(self, language: str, wanted: str | None) -> None:
        self.language, self.wanted = language, wanted
        self.address = ui.context.client.ip or "unknown"
        self.bridge = Bridge(words(), {"language": language, "page": access.LOGIN})
        self.bridge.on("call", self._call)
        LoginForm()

    async def _call(self, event: Any) -> None:
        number, name, args = event.args["number"], event.args["name"], event.args.get("args") or {}
        if name == "login":
            self.bridge.answer(number, await self._login(args))
        elif name == "language" and args.get("language") in LANGUAGES:
            self.language = args["language"]
            access.choose_language(self.language)
            self.bridge.answer(number, {"ok": True, "data": None})

    async def _login(self, args: dict[str, Any]) -> dict[str, Any]:
        try:
            body = Login.model_validate(args)
            agent, token = await authenticate(body.name, body.password, self.address)
        except ValidationError:
            return {"ok": False, **ApiError(401, "bad_login").body(self.language)}
        except ApiError as error:
            return {"ok": False, **error.body(self.language)}
        access.remember(token)
        return {"ok": True, "data": {"go": access.home_of(agent.role, self.wanted)}}
