"""The calls around one conversation: what customers and people at work send, read and decide."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, StringConstraints, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from handoff.agents.models import Agent
from handoff.agents.rights import oversees, require_desk_role, require_read
from handoff.agents.service import Agents
from handoff.attachments import service as attachments
from handoff.clock import iso
from handoff.conversations.intake import receive_plain
from handoff.conversations.models import QUEUE, Conversation, Message, StoredMessage
from handoff.conversations.schemas import (
    NO_NUL,
    MessageText,
    Rate,
    Read,
    SendMessage,
    StartConversation,
    Storable,
    conversation_view,
    event_view,
    message_view,
    note_view,
)
from handoff.conversations.schemas import Language as LanguageBody
from handoff.conversations.service import Conversations, Said
from handoff.conversations.work import Work
from handoff.customers.service import Customers
from handoff.desk import desk
from handoff.errors import ApiError, asked_language, fields_at_fault, invalid, is_json
from handoff.limits import address_of
from handoff.principals import (
    AgentCaller,
    AnyCaller,
    Caller,
    Colleague,
    CustomerCaller,
    OwnCustomer,
    at_once,
    identify,
    limited,
)
from handoff.queue.service import Place, Queue
from handoff.settings import settings
from handoff.summary.service import Summaries

router = APIRouter(prefix="/v1", tags=["conversations"])
LONGEST_WAIT = 30.0
POLL_OTHERS = 1.0
Seq = Annotated[int, Query(ge=0, le=2**53)]


@router.post("/conversations", status_code=201)
async def start(body: StartConversation, request: Request) -> dict[str, Any]:
    """Open a conversation; the token in the answer is its key from now on."""
    desk.limits.address("conversations", address_of(request.scope))
    async with desk.database.write() as session:
        customers = Customers(session)
        customer = await (customers.identified(body.customer_token) if body.customer_token else customers.anonymous())
        context = body.context.model_dump(exclude_none=True)
        conversation, token = await Conversations(session).start(
            customer, body.language, context, locale=asked_language(request.headers.get("accept-language", ""))
        )
        await Summaries(session).learn_context(conversation, context)
        return {"id": conversation.id, "token": token, "owner": conversation.owner}


@router.post(
    "/conversations/{id}/messages",
    status_code=201,
    dependencies=[limited("sends")],
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {"schema": SendMessage.model_json_schema()},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["client_id", "file"],
                        "properties": {
                            "client_id": {"type": "string"},
                            "text": {"type": "string"},
                            "file": {"type": "string", "format": "binary"},
                        },
                    }
                },
            }
        }
    },
)
async def send(id: str, request: Request, response: Response, caller: AnyCaller) -> dict[str, Any]:
    """Say something: the customer of the conversation, or the person who owns it."""
    if isinstance(caller, CustomerCaller) and caller.conversation_id != id:
        raise ApiError(403, "forbidden")
    said, content, name = await read_message(request)
    if content is not None:
        desk.limits.upload(sender_of(caller), address_of(request.scope), len(content))
    message, new = await store(caller, id, said, content, name)
    if not new:
        response.status_code = 200
    return {"seq": message.seq, "created_at": iso(message.created_at), "client_id": message.client_id}


def sender_of(caller: Caller) -> str:
    """Return whose share of uploads a file counts in."""
    return caller.conversation_id if isinstance(caller, CustomerCaller) else caller.agent.id


async def store(
    caller: Caller, id: str, said: Said, content: bytes | None = None, name: str | None = None
) -> tuple[Message | StoredMessage, bool]:
    """Store a message of either side with its rights checked; shared with the sockets.

    A file is on the disk before the transaction begins, and leaves it again when the message is not stored.
    """
    if isinstance(caller, AgentCaller):
        require_desk_role(caller.agent)
    if content is None:
        return await _store(caller, id, said)
    async with attachments.kept_if_stored(id, name, content) as attachment:
        return await _store(caller, id, replace(said, attachment=attachment))


async def _store(caller: Caller, id: str, said: Said) -> tuple[Message | StoredMessage, bool]:
    if isinstance(caller, CustomerCaller) and said.payload is None and said.attachment is None:
        message = await receive_plain(id, caller.token, said)
        if message is not None:
            return message, True
    async with desk.database.write() as session:
        if isinstance(caller, CustomerCaller):
            return await Conversations(session).receive(id, said, caller.token)
        conversation = await Conversations(session).get(id, lock=True)
        known = await Conversations(session).by_client_id(conversation, caller.agent.id, said)
        if known is not None:
            return known, False
        return await Work(session, caller.agent).say(conversation, said), True


async def read_message(request: Request) -> tuple[Said, bytes | None, str | None]:
    """Return what the request says, its file's bytes and name; 415 for other media types, 422 for what is missing."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await _read_multipart(request)
    if not is_json(request):
        raise ApiError(415, "unsupported_type")
    try:
        body = SendMessage.model_validate_json(await _read_limited(request, 64 * 1024))
    except ValidationError as error:
        raise invalid(error.errors()) from None
    if (body.text is None) == (body.payload is None):
        raise ApiError(422, "text_or_payload")
    return Said(body.client_id, body.text or "", body.payload), None, None


async def _read_limited(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ApiError(413, "too_large", {"limit": limit})
    return bytes(body)


async def _read_multipart(request: Request) -> tuple[Said, bytes, str | None]:
    limit = settings.attachment_limit
    if int(request.headers.get("content-length") or 0) > limit + 64 * 1024:
        raise ApiError(413, "too_large", {"limit": limit})
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise fields_at_fault(file="missing")
            if "payload" in form:
                raise ApiError(422, "text_or_payload")
            content = await file.read(limit + 1)
            words = {"client_id": form.get("client_id"), "text": form.get("text") or None}
    except (MultiPartException, HTTPException) as error:
        if isinstance(error, HTTPException) and error.status_code == 408:
            raise
        too_large = isinstance(error, HTTPException) and error.status_code == 413
        raise ApiError(413, "too_large", {"limit": limit}) if too_large else ApiError(400, "bad_request") from None
    if len(content) > limit:
        raise ApiError(413, "too_large", {"limit": limit})
    try:
        body = SendMessage.model_validate(words)
    except ValidationError as error:
        raise invalid(error.errors()) from None
    digest = hashlib.sha256(content).hexdigest()
    return Said(body.client_id, body.text or "", None, None, digest), content, file.filename


@router.get("/conversations/{id}/messages")
async def read_messages(
    id: str, caller: AnyCaller, after: Seq = 0, wait: Annotated[float, Query(ge=0)] = 0
) -> dict[str, Any]:
    """Return what came after `after`; with `wait` (seconds, at most 30) hold on until there is something new."""
    deadline = asyncio.get_running_loop().time() + min(wait, LONGEST_WAIT)
    with desk.limits.hold(f"polls:{sender_of(caller)}", at_once("polls", caller)):
        return await _page_when_new(id, caller, after, deadline)


async def _page_when_new(id: str, caller: Caller, after: int, deadline: float) -> dict[str, Any]:
    async with desk.hub.waiter(id) as wake:
        first = answer = await _page(id, caller, after)
        while not answer["messages"] and answer["owner"] == first["owner"] and answer["queue"] == first["queue"]:
            rest = deadline - asyncio.get_running_loop().time()
            if rest <= 0 or desk.hub.stopping:
                break
            try:
                await asyncio.wait_for(wake.wait(), min(rest, POLL_OTHERS))
            except TimeoutError:
                if not _polls(answer):
                    continue
            wake.clear()  # before reading: what happens from here on wakes again
            caller = await identify(caller.token)  # rights may have changed meanwhile, and tokens end
            answer = await _page(id, caller, after)
    return answer


def _polls(answer: dict[str, Any]) -> bool:
    """While a customer waits, the rank moves by other conversations' events; with Redis other desks write too."""
    return answer["queue"] is not None or bool(settings.redis_url) or not desk.database.is_sqlite


async def _page(id: str, caller: Caller, after: int) -> dict[str, Any]:
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        for_agent = isinstance(caller, AgentCaller)
        rows = await Conversations(session).page(conversation, after)
        return {
            "messages": [message_view(message, attachment, for_agent=for_agent) for message, attachment in rows],
            "owner": conversation.owner,
            "queue": await queue_view(session, conversation),
            "service": await service_view(session, conversation),
            "language": conversation.reading_language,
            "read": {"customer": conversation.customer_read_seq, "agent": conversation.agent_read_seq},
        }


async def visible(session: AsyncSession, id: str, caller: Caller) -> Conversation:
    """Return the conversation if this caller may read it: 403 otherwise, 404 for people when there is none."""
    if isinstance(caller, CustomerCaller):
        if caller.conversation_id != id:
            raise ApiError(403, "forbidden")
        return await Conversations(session).get(id)
    require_desk_role(caller.agent)
    conversation = await Conversations(session).get(id)
    if not await Work(session, caller.agent).is_earlier(conversation):
        require_read(caller.agent, conversation)
    return conversation


async def service_view(session: AsyncSession, conversation: Conversation) -> dict[str, Any]:
    """Return who serves the customer by name, if a person does, and whether a rating is asked for."""
    owner = conversation.agent_id
    agent = await session.scalar(select(Agent.name).where(Agent.id == owner)) if owner else None
    return {"agent": agent, "rating": conversation.asks_for_rating}


async def queue_view(session: AsyncSession, conversation: Conversation) -> dict[str, Any] | None:
    """Return the customer's place in line, or None."""
    handoff = await Queue(session).open_handoff(conversation.id) if conversation.owner == QUEUE else None
    if handoff is None:
        return None
    return place_view(await Queue(session).place(handoff))


def place_view(place: Place) -> dict[str, Any]:
    """Return a place in line as the customer sees it."""
    return {"position": place.position, "wait_seconds": place.wait_seconds, "opens_at": iso(place.opens_at)}


@router.post("/conversations/{id}/handoff", status_code=202, dependencies=[limited("acts")])
async def request_person(id: str, caller: OwnCustomer, response: Response) -> dict[str, Any]:
    """The 转人工 button."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        if await Queue(session).request_person(conversation) is None:
            response.status_code = 200
        return {"owner": conversation.owner, "queue": await queue_view(session, conversation)}


@router.delete("/conversations/{id}/handoff", dependencies=[limited("acts")])
async def give_up(id: str, caller: OwnCustomer) -> dict[str, Any]:
    """Stop waiting and talk to the bot again."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        await Queue(session).give_up(conversation)
        return {"owner": conversation.owner, "queue": None}


@router.post("/conversations/{id}/rating", status_code=201, dependencies=[limited("acts")])
async def rate(id: str, body: Rate, caller: OwnCustomer) -> dict[str, Any]:
    """Rate a closed conversation, once for each closed stretch."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        rating = await Conversations(session).rate(conversation, body.score, body.comment)
        return {"score": rating.score, "stretch": rating.stretch}


@router.delete("/conversations/{id}/token", dependencies=[limited("acts")])
async def revoke_token(id: str, caller: AnyCaller) -> dict[str, Any]:
    """End the validity of the conversation's token at once: the customer (a shared computer), or an overseer."""
    async with desk.database.write() as session:
        await visible(session, id, caller)
        if isinstance(caller, AgentCaller) and not oversees(caller.agent):
            raise ApiError(403, "forbidden")
        conversation = await Conversations(session).get(id, lock=True)
        conversation.token_revoked = True
    await desk.hub.publish("revoked", id)
    return {}


@router.post("/conversations/{id}/language", dependencies=[limited("acts")])
async def switch_language(id: str, body: LanguageBody, caller: OwnCustomer) -> dict[str, Any]:
    """The widget's language switch."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        conversation.language = body.language
        return {"language": body.language}


@router.post("/conversations/{id}/read", dependencies=[limited("signals")])
async def mark_read(id: str, body: Read, caller: AnyCaller) -> dict[str, Any]:
    """Say up to which message this side has read."""
    async with desk.database.write() as session:
        await visible(session, id, caller)
        conversation = await Conversations(session).get(id, lock=True)
        by_agent = isinstance(caller, AgentCaller)
        seq = min(body.seq, conversation.last_seq)
        if by_agent and conversation.owner == caller.agent.owner_key:  # type: ignore[union-attr]
            conversation.agent_read_seq = max(conversation.agent_read_seq, seq)
        elif not by_agent:
            conversation.customer_read_seq = max(conversation.customer_read_seq, seq)
        result: dict[str, Any] = {"customer": conversation.customer_read_seq, "agent": conversation.agent_read_seq}
    await desk.hub.publish("read", id, **result)
    return result


@router.post("/conversations/{id}/typing", status_code=202, dependencies=[limited("signals")])
async def type_on(id: str, caller: AnyCaller) -> dict[str, Any]:
    """Say that this side is typing right now (for clients without a socket)."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
    await typing(conversation, caller, on=True)
    return {}


async def typing(conversation: Conversation, caller: Caller, *, on: bool) -> None:
    """Tell the other side; only the customer and the owner are shown typing."""
    if isinstance(caller, CustomerCaller):
        desk.turns.typing(conversation.id, on)
        await desk.hub.publish("typing", conversation.id, sender="customer", on=on)
    elif conversation.owner == caller.agent.owner_key:
        await desk.hub.publish("typing", conversation.id, sender="agent", on=on)


class Resolution(BaseModel):
    """Body of `resolve`."""

    outcome: Literal["solved", "unsolved", "no_reply", "spam"]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), Storable] | None = None


class Transfer(BaseModel):
    """Body of `transfer`: to a colleague's id or to a skill group, with a note for who takes over."""

    agent: Annotated[str, StringConstraints(max_length=100)] | None = None
    group: Annotated[str, StringConstraints(max_length=60)] | None = None
    note: MessageText


class NoteBody(BaseModel):
    """Body of `notes`."""

    text: MessageText


@router.get("/conversations")
async def search(
    caller: Colleague,
    owner: Annotated[str | None, Query(max_length=60, pattern=NO_NUL)] = None,
    q: Annotated[str | None, Query(max_length=200, pattern=NO_NUL)] = None,
    after: Annotated[str | None, Query(max_length=60, pattern=NO_NUL)] = None,
    concern: bool = False,
) -> dict[str, Any]:
    """List the conversations that this role may see, newest first; `after` is the `next` of the page before."""
    async with desk.database.read() as session:
        return await Work(session, caller.agent).search(owner, q, after, concern)


@router.get("/conversations/{id}")
async def show(id: str, caller: Colleague) -> dict[str, Any]:
    """Return one conversation as a whole, with the customer's earlier ones."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return {**conversation_view(conversation), **await Work(session, caller.agent).surroundings(conversation)}


@router.get("/conversations/{id}/events")
async def audit(id: str, caller: Colleague) -> dict[str, Any]:
    """Return every change of owner."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return {"items": [event_view(event) for event in await Work(session, caller.agent).events(conversation)]}


@router.get("/conversations/{id}/notes")
async def notes(id: str, caller: Colleague) -> dict[str, Any]:
    """Return the internal notes."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return {"items": [note_view(note) for note in await Work(session, caller.agent).notes(conversation)]}


@router.post("/conversations/{id}/notes", status_code=201, dependencies=[limited("messages")])
async def add_note(id: str, body: NoteBody, caller: Colleague) -> dict[str, Any]:
    """Leave an internal note; the customer never sees it."""
    async with desk.database.write() as session:
        await visible(session, id, caller)
        conversation = await Conversations(session).get(id, lock=True)
        return note_view(await Work(session, caller.agent).note(conversation, body.text))


@router.post("/conversations/{id}/take-over", dependencies=[limited("acts")])
async def take_over(id: str, caller: Colleague) -> dict[str, Any]:
    """Step into a conversation of the bot, of the line, or (supervisors) of a colleague."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        await Work(session, caller.agent).take_over(conversation)
        return conversation_view(conversation)


@router.post("/conversations/{id}/release", dependencies=[limited("acts")])
async def release(id: str, caller: Colleague) -> dict[str, Any]:
    """Give the conversation back to the bot."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        await Work(session, caller.agent).release(conversation)
        return conversation_view(conversation)


@router.post("/conversations/{id}/resolve", dependencies=[limited("acts")])
async def resolve(id: str, body: Resolution, caller: Colleague) -> dict[str, Any]:
    """Close the conversation with its outcome."""
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        await Work(session, caller.agent).resolve(conversation, body.outcome, body.note)
        return conversation_view(conversation)


@router.post("/conversations/{id}/transfer", dependencies=[limited("acts")])
async def transfer(id: str, body: Transfer, caller: Colleague) -> dict[str, Any]:
    """Pass the conversation on to a colleague or to a group's line."""
    if (body.agent is None) == (body.group is None):
        raise ApiError(422, "agent_or_group")
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(id, lock=True)
        work = Work(session, caller.agent)
        if body.group is not None:
            await work.transfer_to_group(conversation, body.group, body.note)
        else:
            await work.transfer_to_agent(conversation, await _colleague(session, body.agent or ""), body.note)
        return conversation_view(conversation)


async def _colleague(session: AsyncSession, id_or_name: str) -> Agent:
    colleague = await session.get(Agent, id_or_name) or await Agents(session).by_name(id_or_name)
    if colleague is None:
        raise ApiError(404, "no_such_agent")
    return colleague
