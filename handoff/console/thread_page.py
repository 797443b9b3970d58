"""A page with one open conversation: reading it, and everything a person may do with it."""

from __future__ import annotations

from typing import Any

from handoff.agents.endpoints import colleagues
from handoff.clock import iso, now
from handoff.console import access, thread
from handoff.console.live import LivePage
from handoff.console.pulse import Pulse
from handoff.console.switchboard import switchboard
from handoff.conversations import endpoints
from handoff.conversations.models import CLOSED
from handoff.conversations.schemas import Read, SendMessage
from handoff.conversations.service import Conversations, Said
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.locales import Language, text
from handoff.principals import AgentCaller
from handoff.queue.endpoints import claim
from handoff.realtime.hub import Event
from handoff.replies.service import replies_for
from handoff.summary import endpoints as summary_endpoints

NEWS_PAUSE = 0.05
HEAD_PAUSE = 0.5
SUMMARY_PAUSE = 2.0
NEWS_EVENTS = {"message", "understood", "missed"}
HEAD_EVENTS = {"owner", "note", "missed"}
SUMMARY_EVENTS = {"message", "owner", "understood", "summary", "missed"}


class ThreadPage(LivePage):
    """One open page on which at most one conversation is open at a time."""

    def __init__(self, caller: AgentCaller, language: str, page: str) -> None:
        super().__init__(caller, language, page)
        self.open_id: str | None = None
        self._seen = 0
        self._again = False
        self.handlers |= {
            "open": self.on_open,
            "close": self.on_close,
            "messages": self.on_messages,
            "send": self.on_send,
            "note": self.on_note,
            "read": self.on_read,
            "typing": self.on_typing,
            "claim": self.on_claim,
            "take_over": self.on_take_over,
            "release": self.on_release,
            "resolve": self.on_resolve,
            "transfer": self.on_transfer,
            "events": self.on_events,
            "polished": self.on_polished,
            "closing": self.on_closing,
            "wrong": self.on_wrong,
        }
        self.pulses |= {
            "news": Pulse(self.refresh_news, NEWS_PAUSE),
            "head": Pulse(self.refresh_head, HEAD_PAUSE),
            "summary": Pulse(self.refresh_summary, SUMMARY_PAUSE),
        }

    def hear(self, event: Event) -> None:
        """Mark what an event of the open conversation makes due."""
        kind = event["kind"]
        if kind == "typing" and event["sender"] != "agent":
            self.push(typing={"id": self.open_id, "sender": event["sender"], "on": event["on"]})
        elif kind == "read":
            read = thread.read_view(event["customer"], event["agent"])
            self.push(news={"id": self.open_id, "messages": [], "read": read})
        if kind in {"understood", "missed"}:
            self._again = True
        if kind in NEWS_EVENTS:
            self.mark("news")
        if kind in HEAD_EVENTS:
            self.mark("head")
        if kind in SUMMARY_EVENTS:
            self.mark("summary")

    def tell_people(self, views: list[dict[str, Any]]) -> None:
        """Tell the transfer dialog who is there."""
        self.push(persons=views)

    async def on_ready(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Fill in who works here, with presence, and the skill groups."""
        await super().on_ready(caller, args)
        self.push(people=await colleagues(caller))

    def _show(self, conversation_id: str | None) -> None:
        self.open_id = conversation_id
        switchboard.show(self, conversation_id)

    async def refresh_news(self) -> None:
        """Push new messages of the open conversation; say so when it is no longer this person's to see."""
        conversation_id = self.open_id
        if conversation_id is None:
            return
        after = self._seen - thread.UNDERSTOOD_AGAIN if self._again else self._seen
        self._again = False
        try:
            news = await thread.newer(AgentCaller(self.agent, self.token), conversation_id, after)
        except ApiError as error:
            await self._lose(conversation_id, error)
            return
        if conversation_id == self.open_id:
            self._seen = max([self._seen, *(message["seq"] for message in news["messages"])])
            self.push(news=news)

    async def refresh_head(self) -> None:
        """Push who owns the open conversation, what may be done with it, and its notes."""
        conversation_id = self.open_id
        if conversation_id is None:
            return
        try:
            around = await thread.surroundings(AgentCaller(self.agent, self.token), conversation_id, self.language)
        except ApiError as error:
            await self._lose(conversation_id, error)
            return
        if conversation_id == self.open_id:
            self.push(around=around, server_time=iso(now()))

    async def _lose(self, conversation_id: str, error: ApiError) -> None:
        if error.status == 401:
            self.push(login=access.LOGIN)
            return
        self._show(None)
        owner, name = await thread.who_has_it(conversation_id)
        key = "lost_to_person" if name else "lost_closed" if owner == CLOSED else "lost"
        self.push(lost={"id": conversation_id, "text": text(f"console.{key}", self.language, name=name or "")})

    async def refresh_summary(self) -> None:
        """Push the open conversation's summary in the console's language."""
        conversation_id = self.open_id
        if conversation_id is None:
            return
        try:
            caller = AgentCaller(self.agent, self.token)
            content = await summary_endpoints.summary(conversation_id, caller, self.reading)
        except ApiError:
            return  # the thread's own refresh tells the person
        if conversation_id == self.open_id:
            self.push(summary={"id": conversation_id, **content})

    @property
    def reading(self) -> Language:
        """The language in which this person reads summaries."""
        return "en" if self.language == "en" else "zh"

    async def on_polished(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Return what a language model offers; nothing where none is configured."""
        return await summary_endpoints.polished(str(args["id"]), caller, self.reading)

    async def on_closing(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, str]:
        """Return the closing note to confirm."""
        return await summary_endpoints.closing(str(args["id"]), caller, self.reading)

    async def on_wrong(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Call a line of the summary wrong."""
        await summary_endpoints.wrong(str(args["id"]), summary_endpoints.Wrong.model_validate(args["line"]), caller)

    async def on_open(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Open a conversation."""
        conversation_id = str(args["id"])
        before = self.open_id
        self._show(conversation_id)  # before reading: what is said from now on is heard
        try:
            content = await thread.whole(caller, conversation_id, self.language)
        except ApiError:
            self._show(before)
            raise
        self._seen = content["messages"][-1]["seq"] if content["messages"] else 0
        self.mark("news", "summary")
        head = content["head"]
        return {**content, "replies": replies_for(head["language"], head["customer_name"], caller.agent.name)}

    async def on_close(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Close it."""
        self._show(None)

    async def on_messages(self, caller: AgentCaller, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a stretch of messages."""
        return await thread.stretch(caller, str(args["id"]), int(args["first"]), int(args["last"]))

    async def on_send(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Reply to the customer; the same `client_id` again stores nothing twice."""
        body = SendMessage.model_validate({"client_id": args["client_id"], "text": args["text"]})
        message, _ = await endpoints.store(caller, str(args["id"]), Said(body.client_id, body.text or ""))
        return {"seq": message.seq}

    async def on_note(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Leave an internal note."""
        return await endpoints.add_note(str(args["id"]), endpoints.NoteBody(text=args["text"]), caller)

    async def on_read(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Note how far the owner has read."""
        await endpoints.mark_read(str(args["id"]), Read(seq=args["seq"]), caller)

    async def on_typing(self, caller: AgentCaller, args: dict[str, Any]) -> None:
        """Show the customer that somebody types."""
        async with desk.database.read() as session:
            conversation = await Conversations(session).get(str(args["id"]))
        await endpoints.typing(conversation, caller, on=bool(args["on"]))

    async def on_claim(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Take a waiting conversation."""
        return await claim(str(args["handoff"]), caller)

    async def on_take_over(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Step in."""
        return await endpoints.take_over(str(args["id"]), caller)

    async def on_release(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Give the conversation back to the bot."""
        return await endpoints.release(str(args["id"]), caller)

    async def on_resolve(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Close the conversation with its outcome."""
        body = endpoints.Resolution(outcome=args["outcome"], note=args.get("note") or None)
        return await endpoints.resolve(str(args["id"]), body, caller)

    async def on_transfer(self, caller: AgentCaller, args: dict[str, Any]) -> dict[str, Any]:
        """Pass the conversation on."""
        body = endpoints.Transfer(agent=args.get("agent"), group=args.get("group"), note=args.get("note") or "")
        return await endpoints.transfer(str(args["id"]), body, caller)

    async def on_events(self, caller: AgentCaller, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the audit."""
        return (await endpoints.audit(str(args["id"]), caller))["items"]
