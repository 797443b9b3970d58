"""The contract's table of rights: every caller at every route and every socket event."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import httpx
import pytest
import socketio

from handoff.agents.models import Agent, Role
from handoff.agents.service import Agents
from handoff.app import make_api
from handoff.clock import now
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.realtime.agents import AgentsNamespace
from handoff.realtime.customers import CustomersNamespace
from tests.handoff.conftest import PASSWORD, RunningDesk
from tests.handoff.rights_table import BODIES, CALLERS, HEARS, REFUSED, ROUTES, SOCKET_EVENTS
from tests.handoff.scenes import Scene, scene
from tests.handoff.wires import Wire, wired

ACCOUNTS = {
    "owner": (Role.AGENT, ("tech",)),
    "colleague": (Role.AGENT, ("tech",)),
    "stranger": (Role.AGENT, ("orders",)),
    "designer": (Role.DESIGNER, ()),
    "supervisor": (Role.SUPERVISOR, ()),
    "admin": (Role.ADMIN, ()),
}


@dataclass
class Staff:
    """Who works here: ids by name, and fresh logins."""

    ids: dict[str, str]

    async def login(self, name: str) -> str:
        """Return a bearer token."""
        async with desk.database.write() as session:
            return await Agents(session).open_session(await session.get_one(Agent, self.ids[name]))


async def hire() -> Staff:
    """Make the accounts, all on duty, with room for everything."""
    ids = {}
    async with desk.database.write() as session:
        for name, (role, groups) in ACCOUNTS.items():
            agent = await Agents(session).add(name, PASSWORD, role, groups, capacity=500)
            agent.status, agent.last_seen_at = "online", now()
            ids[name] = agent.id
    return Staff(ids)


async def token_of(caller: str, staff: Staff, here: Scene) -> str | None:
    """Return the caller's bearer token, None for nobody."""
    if caller == "customer":
        return here.token
    if caller == "other_customer":
        return (await scene("bot", staff.ids["owner"])).token
    return None if caller == "nobody" else await staff.login(caller)


def paths() -> dict[str, str]:
    """Return every `METHOD path` of the API's OpenAPI document."""
    document = make_api().openapi()["paths"]
    return {f"{method.upper()} {path}": path for path, methods in document.items() for method in methods}


def test_every_route_and_socket_event_is_in_the_table() -> None:
    assert sorted(paths()) == sorted(ROUTES)
    for name, kind in (("/jieli", CustomersNamespace), ("/agents", AgentsNamespace)):
        handlers = {entry.removeprefix("on_") for entry in dir(kind) if entry.startswith("on_")}
        assert handlers == set(SOCKET_EVENTS[name])


def address(route: str, here: Scene) -> str:
    """Fill the places of a route's path."""
    if "attachments" in route:
        return here.file
    path = route.partition(" ")[2].replace("{promise_id}", str(here.promise)).replace("{name}", "night")
    return "/api" + path.replace("{id}", here.handoff if "/handoffs/" in path else here.id)


@pytest.mark.parametrize("caller", CALLERS)
async def test_routes(running: RunningDesk, caller: str) -> None:
    staff = await hire()
    others = (await scene("bot", staff.ids["owner"])).token
    login = await staff.login(caller) if caller in ACCOUNTS else None
    untouched: dict[str, Scene] = {}
    wrong = []
    for route, situations in ROUTES.items():
        for situation, statuses in situations.items():
            here = untouched.get(situation) or await scene(situation, staff.ids["owner"])
            token = {"customer": here.token, "other_customer": others}.get(caller, login)
            answer = await call(running.http, route, here, token)
            untouched[situation] = here
            if answer.status_code < 400 and not route.startswith("GET"):
                del untouched[situation]
            if answer.status_code != statuses[CALLERS.index(caller)]:
                wrong.append((route, situation, statuses[CALLERS.index(caller)], answer.status_code, answer.text[:80]))
            elif answer.status_code >= 400:
                assert set(answer.json()["error"]) == {"code", "message", "details"}
            if route.endswith("logout") and login:
                login = await staff.login(caller)
    assert wrong == []


async def call(http: httpx.AsyncClient, route: str, here: Scene, token: str | None) -> httpx.Response:
    """Call a route as the holder of `token`."""
    body = BODIES.get(route)
    if route == "POST /v1/agents/login":
        body = {"name": "owner", "password": PASSWORD}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await http.request(route.partition(" ")[0], address(route, here), json=body, headers=headers)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("caller", CALLERS)
async def test_socket_events(running: RunningDesk, caller: str) -> None:
    staff = await hire()
    index = CALLERS.index(caller)
    for namespace, events in SOCKET_EVENTS.items():
        here = await scene("owned", staff.ids["owner"])
        token = await token_of(caller, staff, here)
        auth = {"conversation": here.id, "token": token or "", "after": 0}
        async with wired(running.url, namespace, auth) as wire:
            connected = namespace in wire.client.namespaces
            assert ("ok" if connected else wire.refusal_code) == events["connect"][index]
            assert (events["disconnect"][index] == "ok") is connected
            assert await sending(wire, here) == events["send"][index]
            assert await typing(running, wire, here, staff) == events["typing"][index]


async def sending(wire: Wire, here: Scene) -> str:
    """Return what becomes of `send`."""
    if wire.namespace not in wire.client.namespaces:
        return REFUSED
    answer = await wire.send(conversation=here.id, client_id=uuid.uuid4().hex, text="在的")
    return "ok" if "seq" in answer else str(answer["error"]["code"])


async def typing(running: RunningDesk, wire: Wire, here: Scene, staff: Staff) -> str:
    """Return whether the other side is told that this caller types."""
    if wire.namespace not in wire.client.namespaces:
        return REFUSED
    if wire.namespace == "/jieli":
        other, auth = "/agents", {"token": await staff.login("owner")}
    else:
        other, auth = "/jieli", {"conversation": here.id, "token": here.token, "after": 0}
    sender = "customer" if wire.namespace == "/jieli" else "agent"
    async with wired(running.url, other, auth) as listener:
        await listener.until(lambda: bool(listener.all("queue")))
        await wire.type(conversation=here.id, on=True)
        try:
            await listener.until(lambda: any(item["sender"] == sender for item in listener.all("typing")), 0.6)
        except AssertionError:
            return "unheard"
    return "ok"


async def test_who_hears_what(running: RunningDesk) -> None:
    staff = await hire()
    scenes = {situation: await scene(situation, staff.ids["owner"]) for situation in HEARS}
    wires: dict[str, Wire] = {}
    try:
        for name in ("owner", "colleague", "stranger", "supervisor", "admin"):
            wires[name] = Wire("/agents")
            assert await wires[name].connect(running.url, {"token": await staff.login(name)})
        await asyncio.gather(*[wire.until(lambda wire=wire: bool(wire.all("queue"))) for wire in wires.values()])
        for situation, here in scenes.items():
            async with desk.database.write() as session:
                conversation = await Conversations(session).get(here.id, lock=True)
                await Conversations(session).append(
                    conversation,
                    "system",
                    f"news {situation}",
                    sender_name="系统消息",  # type: ignore[arg-type]
                )
        for name, wire in wires.items():
            expected = {situation for situation, names in HEARS.items() if name in names}
            await wire.until(lambda wire=wire, expected=expected: len(wire.all("message")) >= len(expected))
        await asyncio.sleep(0.3)
        for name, wire in wires.items():
            heard = {message["text"].removeprefix("news ") for message in wire.all("message")}
            assert heard == {situation for situation, names in HEARS.items() if name in names}, name
            line = [item["conversation_id"] for item in wire.all("queue")[-1]["items"]]
            assert line == ([] if name == "stranger" else [scenes["waiting"].id]), name
    finally:
        for wire in wires.values():
            await wire.client.disconnect()


async def test_a_login_that_ended_hears_no_more(running: RunningDesk) -> None:
    staff = await hire()
    here = await scene("owned", staff.ids["owner"])
    token = await staff.login("owner")
    async with wired(running.url, "/agents", {"token": token}) as wire:
        await wire.until(lambda: bool(wire.all("queue")))
        async with desk.database.write() as session:
            await Agents(session).revoke(token)
        await scene("waiting", staff.ids["owner"])
        await asyncio.wait_for(wire.gone.wait(), 5)
        assert [item["conversation_id"] for item in wire.all("queue")[-1]["items"]] == []
        with pytest.raises(socketio.exceptions.SocketIOError):
            await wire.send(conversation=here.id, client_id="late", text="还在")


async def test_a_revoked_customer_token_ends_every_way_in(running: RunningDesk) -> None:
    customer = await running.customer()
    auth = {"conversation": customer.id, "token": customer.token, "after": 0}
    async with wired(running.url, "/jieli", auth) as wire:
        await wire.until(lambda: bool(wire.all("owner")))
        ended = await running.http.delete(f"{customer.path}/token", headers=customer.headers)
        assert ended.status_code == 200
        await asyncio.wait_for(wire.gone.wait(), 5)
    assert (await customer.send("还能说吗")).status_code == 401
    async with wired(running.url, "/jieli", auth) as again:
        assert again.refusal_code == "unauthenticated"
