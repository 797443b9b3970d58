"""One turn from the desk's question to the bot's answer: locked, idempotent, all or nothing."""

import asyncio
import logging
from typing import Any

import aiohttp
import orjson
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig, concat_url

from bot.actions import words
from bot.fact_names import FACT_NAMES
from bot.locks import Locks
from bot.nlu.lookups import device_categories, lookup
from bot.policies.assessment import Assessor
from bot.policies.handoff import HandoffPolicy
from bot.policies.told import PERSON_PAYLOAD
from bot.policies.told import told as turn_of
from bot.reading import Reader, Reading
from bot.replies import as_reply
from bot.trackers import unwrap
from bot.wire import DoorError, ForgetRequest, ParseRequest, ResetRequest, TurnRequest

logger = logging.getLogger(__name__)

ACTION_SECONDS = 15.0
# Shorter than the action server keeps an idle connection (5 s).
KEPT_SECONDS = 2.0
COURSE_LENGTH = 10
# The stages of a trouble in which one answer is waited for.
WAITING = frozenset({"fact", "step"})
CHANNEL = "desk"
# What actions get of the messages before the latest, which they get whole.
_TOLD_OF_EARLIER = frozenset({"text", "intent", "entities", "language"})
_OFFER = {"zh": "转人工", "en": "Talk to a person"}
_KEPT_AFTER_RESET = ("language", "customer", "orders_known")


class BrokenActionError(BaseException):
    """An action failed. Not an Exception: Rasa catches those around actions and goes on as if nothing had happened."""


class WatchedEndpoint(EndpointConfig):
    """The action server, whose failures end the turn instead of being logged and forgotten.

    Its connections are kept: Rasa makes a new client for every action. One that the action server has just closed is
    noticed only when it is used; then the action is asked for again over a new one. What an action does in the shop is
    keyed by its turn, so that nothing is done twice.
    """

    _kept: aiohttp.ClientSession | None = None

    @classmethod
    def around(cls, endpoint: EndpointConfig) -> "WatchedEndpoint":
        """A watched copy of `endpoint`."""
        watched = cls()
        watched.__dict__.update(endpoint.__dict__)
        return watched

    async def request(self, *args: Any, json: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Run an action; a rejection (400) is Rasa's business, all else that fails raises BrokenActionError."""
        call = _without_details(json or {})
        name = call.get("next_action", "action")
        try:
            answer = await self._ask_by_kept_connection(call)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, ClientResponseError):
                if error.status == 400:
                    raise
                raise BrokenActionError(f"{name}: status {error.status}") from error
            raise BrokenActionError(f"{name}: {type(error).__name__}") from error
        if not isinstance(answer, dict):
            raise BrokenActionError(f"{name}: no JSON object came back")
        return answer

    async def _ask_by_kept_connection(self, call: dict[str, Any]) -> Any:
        body = orjson.dumps(call)
        if self._kept is None or self._kept.closed:
            self._kept = self._session()
        try:
            return await self._ask(self._kept, body)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
            async with self._session() as fresh:
                return await self._ask(fresh, body)

    async def _ask(self, session: aiohttp.ClientSession, body: bytes) -> Any:
        async with session.post(concat_url(self.url, None), data=body) as response:
            content = await response.read()
            if response.status >= 400:
                raise ClientResponseError(response.status, response.reason, content.decode(errors="replace"))
            return orjson.loads(content)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(total=ACTION_SECONDS),
            headers={**self.headers, "Content-Type": "application/json"},
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._kept is not None:
            await self._kept.close()


def _without_details(call: dict[str, Any]) -> dict[str, Any]:
    """The call with little of what the models said of earlier messages, which is most of its size."""
    tracker = call.get("tracker") or {}
    events = [
        {**event, "parse_data": {name: part for name, part in event["parse_data"].items() if name in _TOLD_OF_EARLIER}}
        if event.get("event") == "user" and event.get("parse_data")
        else event
        for event in tracker.get("events") or []
    ]
    return {**call, "tracker": {**tracker, "events": events}} if events else call


class DeskOutput(OutputChannel):
    """Collects what the bot says, a message a time, as the desk stores it."""

    def __init__(self) -> None:
        """Nothing said yet."""
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        """The channel's name in responses and events."""
        return CHANNEL

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep text and buttons of one message; one without text is not sent."""
        text = str(message.get("text") or "").strip()
        buttons = [
            {"title": button["title"], "payload": button["payload"]}
            for button in [*(message.get("buttons") or []), *(message.get("quick_replies") or [])]
        ]
        if text:
            self.messages.append({"text": text, "buttons": buttons or None})


class Desk:
    """The bot as the desk knows it: turns, parses, resets."""

    def __init__(self, agent: Agent) -> None:
        """Take over a loaded agent; raises TypeError or ValueError when it cannot serve (no model, wrong store)."""
        if agent.processor is None or not agent.is_ready():
            raise ValueError("No model is loaded. Train one (make train) and look at the lines above.")
        if agent.action_endpoint is None:
            raise ValueError("No action server is configured. Look at action_endpoint in endpoints.yml.")
        self._agent, self._processor = agent, agent.processor
        self._store = unwrap(agent.tracker_store)
        self._endpoint = WatchedEndpoint.around(agent.action_endpoint)
        agent.tracker_store = self._processor.tracker_store = self._store
        agent.action_endpoint = self._processor.action_endpoint = self._endpoint
        self._reader = Reader(self._processor.graph_runner, self._processor.model_metadata)
        self._policy = self._handoff_policy()
        self._locks = Locks(self._store.lock_file)
        self._running: dict[tuple[str, str], asyncio.Task[dict[str, Any]]] = {}

    @property
    def reader(self) -> Reader:
        """What reads customers' messages."""
        return self._reader

    @property
    def assessor(self) -> Assessor:
        """What scores conversations for a person."""
        return self._policy.assessor

    @property
    def model(self) -> str:
        """The id of the model that answers."""
        return str(self._agent.model_id)

    async def close(self) -> None:
        """Finish what is being written and close what is open."""
        await self._endpoint.close()
        self._store.close()
        self._locks.close()

    async def check_actions(self) -> None:
        """Raise DoorError 503 unless the action server answers."""
        url = str(self._endpoint.url).rsplit("/", 1)[0] + "/health"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(url) as response,
            ):
                if response.status == 200:
                    return
        except (TimeoutError, aiohttp.ClientError, OSError):
            logger.warning("The action server does not answer.")
        raise DoorError(503, "actions_unreachable", "Start the action server, or wait until it is up.")

    def parse(self, request: ParseRequest) -> dict[str, Any]:
        """Read messages without memory, and say of each talk whether what was said last calls a person, and why."""
        readings = self._reader.read_all(request.messages)
        language = next((reading.language for reading in reversed(readings) if reading.language), "zh")
        by_seq = {reading.seq: reading for reading in readings}
        calls = [self._call_for_person([by_seq[seq] for seq in talk]) for talk in request.talks]
        return {**_understood(readings, language), "handoffs": calls}

    def _call_for_person(self, readings: list[Reading]) -> dict[str, Any] | None:
        """The handoff that the last of these messages calls for, with what is to be done at once in a danger."""
        turns = [turn_of([reading.seq], reading.text, self._reader.join([reading])) for reading in readings]
        assessment = self.assessor.assess_turns(turns)
        if not assessment.hands_over:
            return None
        handoff = assessment.handoff()
        danger = handoff.get("danger")
        return {**handoff, "advice": words.both(f"utter_social/danger_{danger}") if danger else None}

    async def turn(self, request: TurnRequest) -> dict[str, Any]:
        """Answer a turn once, however often and however impatiently it is asked for."""
        key = (request.conversation, request.turn_id)
        task = self._running.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._turn(request))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def explain(self, conversation: str) -> dict[str, Any]:
        """The handoff score of a conversation as it stands, signal by signal."""
        tracker = await self._store.retrieve(conversation)
        return self.assessor.assess(tracker).explanation() if tracker else {"score": 0.0, "signals": []}

    def use_handoff_settings(self, settings: dict[str, Any]) -> None:
        """Hand over by other settings than the model's, to see what they would do."""
        self._policy.use(settings)

    async def reset(self, request: ResetRequest) -> None:
        """Start afresh after a person was there: old trouble, running forms and handoffs are forgotten."""
        async with self._locks.hold(request.conversation):
            tracker = await self._store.retrieve(request.conversation)
            if tracker is None:
                return
            kept = _KEPT_AFTER_RESET + (FACT_NAMES if request.keep_facts else ())
            memory = [
                SlotSet(name, tracker.get_slot(name))
                for name in kept
                if name in tracker.slots and tracker.get_slot(name)
            ]
            fresh = [
                ActionExecuted(ACTION_SESSION_START_NAME),
                SessionStarted(),
                *memory,
                ActionExecuted(ACTION_LISTEN_NAME),
            ]
            tracker.update_with_events(fresh, self._processor.domain)
            await self._store.save(tracker)

    async def forget(self, request: ForgetRequest) -> None:
        """Remove all that is kept of a conversation, after the turn that runs; doing so again changes nothing."""
        async with self._locks.hold(request.conversation):
            await self._store.forget(request.conversation)
        self._reader.forget()

    async def _turn(self, request: TurnRequest) -> dict[str, Any]:
        async with self._locks.hold(request.conversation):
            kept = await self._store.answer(request.conversation, request.turn_id)
            if kept is not None:
                return kept
            try:
                return await self._fresh_turn(request)
            except BrokenActionError as error:
                logger.error("Turn %s of %s failed: %s", request.turn_id, request.conversation, error)
                raise DoorError(
                    502, "action_failed", "Hand the conversation to a person.", {"action": str(error)}
                ) from error

    async def _fresh_turn(self, request: TurnRequest) -> dict[str, Any]:
        readings = await self._reader.read_soon(request.messages)
        output = DeskOutput()
        tracker = await self._processor.fetch_tracker_and_update_session(request.conversation, output)
        self._set(tracker, _before_turn(request, readings, tracker))
        turn_start = len(tracker.events)
        message = self._message(request, readings, _heard(self._reader.join(readings), readings, tracker), output)
        await self._processor._handle_message_with_tracker(message, tracker)
        self._set(tracker, _from_readings(readings, tracker))
        await self._processor.run_action_extract_slots(output, tracker)
        await self._processor._run_prediction_loop(output, tracker)
        answer = self._answer(request, readings, output, tracker, turn_start)
        await self._store.save_turn(tracker, request.turn_id, answer)
        return answer

    def _message(
        self, request: TurnRequest, readings: list[Reading], parse: dict[str, Any], output: DeskOutput
    ) -> UserMessage:
        attachments = [{**reading.attachment, "seq": reading.seq} for reading in readings if reading.attachment]
        return UserMessage(
            text=parse["text"],
            output_channel=output,
            sender_id=request.conversation,
            parse_data=parse,
            input_channel=CHANNEL,
            message_id=request.turn_id,
            metadata={
                "seqs": [reading.seq for reading in readings],
                "turn_id": request.turn_id,
                "attachments": attachments,
                "network": request.network,
            },
        )

    def _set(self, tracker: DialogueStateTracker, values: dict[str, Any]) -> None:
        """Set the slots that the domain has and that change."""
        changed = {
            name: value for name, value in values.items() if name in tracker.slots and tracker.get_slot(name) != value
        }
        tracker.update_with_events([SlotSet(name, value) for name, value in changed.items()], self._processor.domain)

    def _answer(
        self,
        request: TurnRequest,
        readings: list[Reading],
        output: DeskOutput,
        tracker: DialogueStateTracker,
        turn_start: int,
    ) -> dict[str, Any]:
        language = str(tracker.get_slot("language") or "zh")
        handoff = _handoff(tracker.get_slot("handoff"), readings)
        messages = output.messages
        if handoff:
            messages = [{"text": message["text"], "buttons": None} for message in messages[-1:]]
        elif not messages:
            raise DoorError(502, "no_answer", "Hand the conversation to a person.")
        else:
            self._offer_person(messages, tracker, turn_start, language)
        return {
            "messages": messages,
            "language": language,
            **_understood(readings, language),
            "handoff": handoff,
            "promises": list(tracker.get_slot("promises") or []),
            "done": list(tracker.get_slot("done") or []),
        }

    def _offer_person(
        self, messages: list[dict[str, Any]], tracker: DialogueStateTracker, turn_start: int, language: str
    ) -> None:
        """Add the one-tap button to the last message when things go middling badly; the tracker remembers it.

        Who declined a person a moment ago is shown no such button at all.
        """
        assessment = self.assessor.assess(tracker)
        if assessment.declined:
            for message in messages:
                kept = [button for button in message["buttons"] or [] if button["payload"] != PERSON_PAYLOAD]
                message["buttons"] = kept or None
            return
        offered = any(
            button["payload"] == PERSON_PAYLOAD for message in messages for button in message["buttons"] or []
        )
        if offered or not assessment.offers:
            return
        button = {"title": _OFFER[language], "payload": PERSON_PAYLOAD}
        messages[-1]["buttons"] = [*(messages[-1]["buttons"] or []), button]
        said = [event for event in list(tracker.events)[turn_start:] if isinstance(event, BotUttered)]
        if said:
            said[-1].data["buttons"] = [*(said[-1].data.get("buttons") or []), button]

    def _handoff_policy(self) -> HandoffPolicy:
        for node in self._processor.graph_runner._instantiated_nodes.values():
            if isinstance(node._component, HandoffPolicy):
                return node._component
        raise ValueError("The model has no HandoffPolicy. Look at policies in config.yml and train again.")


def _before_turn(request: TurnRequest, readings: list[Reading], tracker: DialogueStateTracker) -> dict[str, Any]:
    """What the desk says, and a clean sheet for what this turn leaves."""
    told = next((reading.language for reading in reversed(readings) if reading.language), None)
    values: dict[str, Any] = {
        "language": request.language or told or tracker.get_slot("language") or request.locale or "zh",
        "turn_id": request.turn_id,
        "customer": request.customer.dict() if request.customer else None,
        "customer_token": request.customer_token,
        "handoff": None,
        "promises": [],
        "done": [],
    }
    had = {
        (event.key, event.value)
        for event in tracker.applied_events()
        if isinstance(event, SlotSet) and _plain(event.value)
    }
    known = {name: value for name, value in request.facts.items() if name in FACT_NAMES and (name, value) not in had}
    return {**known, **values}


def _heard(parse: dict[str, Any], readings: list[Reading], tracker: DialogueStateTracker) -> dict[str, Any]:
    """The parse data of a turn as troubleshooting hears it while it waits for an answer; what it is not, is no fact."""
    stage = (tracker.get_slot("issue") or {}).get("stage")
    waits = tracker.get_slot("awaiting") == "troubleshooting" and stage in WAITING and not tracker.active_loop_name
    if not waits or any(reading.pressed for reading in readings):
        return parse
    model = str(tracker.get_slot("device_model"))
    heard = as_reply(parse, tracker.get_slot("product") or device_categories().get(model))
    if "reply" in heard:
        kept = {(entity["entity"], str(entity["value"])) for entity in heard["entities"]}
        for reading in readings:
            reading.facts = [fact for fact in reading.facts if (fact["name"], str(fact["value"])) in kept]
        if len(readings) == 1:
            readings[0].parse |= {name: heard[name] for name in ("intent", "topic", "wishes") if name in heard}
    return heard


def _plain(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _from_readings(readings: list[Reading], tracker: DialogueStateTracker) -> dict[str, Any]:
    """Slots that no entity fills: the known steps tried, the course of the mood, a device no longer spoken of."""
    tried = list(tracker.get_slot("tried") or [])
    told = [step["text"] for reading in readings for step in reading.tried]
    tried += [code for code in told if code in lookup("tried_steps")]
    course = list(tracker.get_slot("emotion_course") or [])
    course += [
        {"seq": r.seq, "label": r.parse["emotion"]["label"], "score": r.parse["emotion"]["score"]} for r in readings
    ]
    values: dict[str, Any] = {"tried": list(dict.fromkeys(tried)), "emotion_course": course[-COURSE_LENGTH:]}
    stated = {fact["name"]: fact["value"] for reading in readings for fact in reading.facts}
    category = device_categories().get(str(tracker.get_slot("device_model")))
    if "product" in stated and "device_model" not in stated and category not in (None, stated["product"]):
        values |= {"device_model": None, "firmware_version": None}
    return values


def _handoff(slot: Any, readings: list[Reading]) -> dict[str, Any] | None:
    """The handoff as the contract has it; without other evidence this turn's messages are it."""
    if not isinstance(slot, dict) or not slot.get("reason"):
        return None
    return {
        "reason": slot["reason"],
        "evidence": list(slot.get("evidence") or [reading.seq for reading in readings]),
        "priority": int(slot.get("priority") or 3),
        "group": slot.get("group") or "care",
        "explanation": slot.get("explanation") or {"score": 0.0, "signals": []},
    }


def _understood(readings: list[Reading], language: str) -> dict[str, Any]:
    return {
        "nlu": [reading.nlu(language) for reading in readings],
        "facts": [fact for reading in readings for fact in reading.facts],
        "tried": [step for reading in readings for step in reading.tried],
    }
