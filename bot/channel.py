"""The bot's only door: authenticated, for the desk alone. Failures are errors, never an empty answer."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, json

from bot.logs import keep_words_out
from bot.server.workers import parent_is_stopped
from bot.turns import Desk
from bot.wire import BODY_LIMIT, DoorError, ForgetRequest, ParseRequest, ResetRequest, TurnRequest, read_body

logger = logging.getLogger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_WHAT_NEXT = {
    404: "Use /webhooks/desk/turn, parse, reset, forget or health.",
    405: "Use POST for turn, parse, reset and forget, GET for health.",
    413: "Send at most 1 MB.",
}


class DeskInput(InputChannel):
    """`/webhooks/desk/turn`, `parse`, `reset`, `forget` and `health`, each with the bearer `BOT_TOKEN`."""

    def __init__(self, token: str) -> None:
        """`token` is what the desk must send; it comes from the environment."""
        self._token = token.encode()
        self._desk: Desk | None = None

    @classmethod
    def name(cls) -> str:
        """Where the door is: /webhooks/desk."""
        return "desk"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> "DeskInput":
        """A door with the token of credentials.yml; raises RasaException when there is none."""
        token = str((credentials or {}).get("token") or "").strip()
        if not token or token.startswith("${"):
            raise RasaException("Set BOT_TOKEN: the bot does not open its door without a token.")
        keep_words_out()
        return cls(token)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes of the door; `on_new_message` is not used, because a turn must say how it ended."""
        door = Blueprint("desk_door", version=None)

        @door.route("/turn", methods=["POST"])
        async def turn(request: Request) -> HTTPResponse:
            desk = await self._open(request)
            return json(await desk.turn(read_body(request.body, TurnRequest)))

        @door.route("/parse", methods=["POST"])
        async def parse(request: Request) -> HTTPResponse:
            desk = await self._open(request)
            return json(desk.parse(read_body(request.body, ParseRequest)))

        @door.route("/reset", methods=["POST"])
        async def reset(request: Request) -> HTTPResponse:
            desk = await self._open(request)
            await desk.reset(read_body(request.body, ResetRequest))
            return json({})

        @door.route("/forget", methods=["POST"])
        async def forget(request: Request) -> HTTPResponse:
            desk = await self._open(request)
            await desk.forget(read_body(request.body, ForgetRequest))
            return json({})

        @door.route("/health", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            desk = await self._open(request)
            await desk.check_actions()
            return json({"status": "ok", "model": desk.model})

        door.listener("before_server_start")(_answer_errors)
        door.listener("after_server_start")(self._start)
        door.listener("after_server_stop")(self._stop)
        return door

    async def _open(self, request: Request) -> Desk:
        """The bot, for whoever brings the token (compared in constant time); raises DoorError for all others."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
            raise DoorError(401, "unauthorized", "Send the bearer token of the bot's door.")
        while parent_is_stopped():  # noqa: ASYNC110 - the kernel announces nothing
            await asyncio.sleep(0.1)
        if self._desk is None:
            raise DoorError(503, "starting", "The bot is starting; try again in a few seconds.")
        return self._desk

    async def _start(self, app: Sanic, loop: Any) -> None:
        """Take over the loaded agent, or end the process with a sentence that says why."""
        try:
            desk = Desk(app.ctx.agent)
        except (TypeError, ValueError, KeyError, RuntimeError, OSError) as error:
            logger.critical("The bot cannot start: %s", error)
            raise SystemExit(1) from error
        self._desk = desk
        logger.info("The bot's door is open; model %s.", desk.model)

    async def _stop(self, app: Sanic, loop: Any) -> None:
        if self._desk is not None:
            await self._desk.close()


async def _answer_errors(app: Sanic, loop: Any) -> None:
    """Every failure leaves in the contract's form, whatever raised it."""
    app.config.REQUEST_MAX_SIZE = BODY_LIMIT
    app.error_handler.add(DoorError, _door_error)
    app.error_handler.add(SanicException, _sanic_error)
    app.error_handler.add(Exception, _crash)


def _door_error(request: Request, error: DoorError) -> HTTPResponse:
    return json(error.body(), status=error.status)


def _sanic_error(request: Request, error: SanicException) -> HTTPResponse:
    status = getattr(error, "status_code", None) or 500
    if status >= 500:
        return _crash(request, error)
    message = _WHAT_NEXT.get(status, "Correct the request.")
    return json(DoorError(status, _CODES.get(status, "bad_request"), message).body(), status=status)


def _crash(request: Request, error: Exception) -> HTTPResponse:
    logger.error("A request of the desk failed.", exc_info=error)
    return json(DoorError(502, "bot_failed", "Hand the conversation to a person.").body(), status=502)
