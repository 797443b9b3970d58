"""Floods: every way to write has a limit that answers 429 with Retry-After, for a conversation and for an address."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any

import httpx
import pytest

from handoff import limits
from handoff.app import make_api
from handoff.limits import network_of
from handoff.settings import settings
from tests.handoff.attackers import SQLITE, engine
from tests.handoff.conftest import RunningDesk
from tests.handoff.integrations import PATH
from tests.handoff.wires import customer_auth, wired

pytestmark = SQLITE
OPEN_TO_ALL = {("POST", "/v1/conversations"), ("POST", "/v1/agents/login")}  # limited by address, tested below
WRITES = {
    "POST messages": {"text": "x"},
    "POST typing": None,
    "POST read": {"seq": 1},
    "POST rating": {"score": 5},
    "POST language": {"language": "en"},
    "POST handoff": None,
    "DELETE handoff": None,
}


@pytest.fixture
def limited(running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits as small as they get."""
    monkeypatch.setattr(settings, "limit_messages", 6)
    monkeypatch.setattr(settings, "limit_conversations", 6)


def is_refused(answer: httpx.Response) -> bool:
    """Check the shape of a 429."""
    if answer.status_code != 429:
        return False
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] in {"too_many_requests", "too_many_logins"}
    return True


def test_every_route_that_writes_has_a_limit(running: RunningDesk) -> None:
    """A new route without one fails here."""
    unlimited = []
    for route in _routes(make_api()):
        counted = {call.call.__qualname__ for call in route.dependant.dependencies if call.call}
        for method in route.methods - {"GET", "HEAD"}:
            if "limited.<locals>.counted" not in counted and (method, route.path) not in OPEN_TO_ALL:
                unlimited.append((method, route.path))
    assert unlimited == []


def _routes(api: Any) -> list[Any]:
    found, waiting = [], list(api.routes)
    while waiting:
        route = waiting.pop()
        if hasattr(route, "dependant"):
            found.append(route)
        elif hasattr(route, "original_router"):
            waiting += route.original_router.routes
    assert len(found) > 25
    return found


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("call", WRITES)
async def test_every_way_to_write_has_an_end(running: RunningDesk, call: str) -> None:
    customer, other = await running.customer(), await running.customer()
    method, _, rest = call.partition(" ")
    for number in range(60):
        body = WRITES[call] and {**WRITES[call], "client_id": f"f{number}"}  # type: ignore[dict-item]
        answer = await running.http.request(method, f"{customer.path}/{rest}", json=body, headers=customer.headers)
        assert answer.status_code < 500
        if is_refused(answer):
            break
    else:
        pytest.fail("no end")
    assert number < 40
    assert (await other.send("我不受影响")).status_code == 201


@pytest.mark.usefixtures("limited")
async def test_repetitions_and_refused_messages_count_too(running: RunningDesk) -> None:
    customer = await running.customer()
    same = [await customer.send("一样", client_id="same") for _ in range(40)]
    assert is_refused(same[-1]) and {answer.status_code for answer in same} == {200, 201, 429}
    other = await running.customer()
    forged = [await other.send(payload="/x") for _ in range(40)]
    assert is_refused(forged[-1])


@pytest.mark.usefixtures("limited")
async def test_a_socket_has_the_same_limits(running: RunningDesk) -> None:
    customer = await running.customer()
    async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
        answers = [await wire.send(client_id=uuid.uuid4().hex, text="x") for _ in range(12)]
        assert sum("seq" in answer for answer in answers) == 6
        error = answers[-1]["error"]
        assert error["code"] == "too_many_requests" and 0 < error["details"]["retry_after"] <= 60
    assert is_refused(await customer.send("REST auch"))


@pytest.mark.usefixtures("limited")
async def test_a_socket_that_floods_is_ended(running: RunningDesk) -> None:
    customer = await running.customer()
    async with engine(running.url) as attacker:
        await attacker.join("/jieli", customer_auth(customer))
        with contextlib.suppress(Exception):
            await attacker.say(*['42/jieli,["typing",{"on":true}]'] * 300)
        assert await attacker.is_dropped()


@pytest.mark.usefixtures("limited")
async def test_sockets_and_polls_of_one_conversation_are_few(running: RunningDesk) -> None:
    customer = await running.customer()
    wires = []
    try:
        for _ in range(8):
            wire = wired(running.url, "/jieli", customer_auth(customer))
            wires.append((wire, await wire.__aenter__()))
            await asyncio.sleep(0.1)
        codes = [one.refusal_code if one.refusal else "ok" for _, one in wires]
        assert codes.count("ok") == limits.LEAST and set(codes[limits.LEAST :]) == {"too_many_requests"}
    finally:
        for wire, _ in wires:
            await wire.__aexit__(None, None, None)
    params = {"after": 0, "wait": 1}
    polls = [running.http.get(f"{customer.path}/messages", params=params, headers=customer.headers) for _ in range(9)]
    answers = await asyncio.gather(*polls)
    assert sum(is_refused(answer) for answer in answers) == 9 - limits.LEAST


@pytest.mark.usefixtures("limited")
async def test_handshakes_of_one_address_have_an_end(running: RunningDesk) -> None:
    path = "/socket.io/?EIO=4&transport=polling"
    answers = [await running.http.get(path) for _ in range(40)]
    assert is_refused(answers[-1]) and answers[0].status_code == 200
    with pytest.raises(Exception, match="429"):
        async with engine(running.url):
            pass


@pytest.mark.usefixtures("limited")
async def test_conversations_and_wrong_tokens_of_one_address_have_an_end(running: RunningDesk) -> None:
    opened = [await running.http.post("/api/v1/conversations", json={}) for _ in range(8)]
    assert [is_refused(answer) for answer in opened] == [False] * 6 + [True] * 2
    headers = {"Authorization": "Bearer ct_guess"}
    guesses = [await running.http.get("/api/v1/conversations/x/messages", headers=headers) for _ in range(20)]
    assert is_refused(guesses[-1]) and guesses[0].status_code == 401
    good = opened[0].json()
    here = f"/api/v1/conversations/{good['id']}/messages"
    honest = await running.http.get(here, headers={"Authorization": f"Bearer {good['token']}"})
    assert honest.status_code == 200, "who holds a good token is not punished for a neighbour"


@pytest.mark.usefixtures("limited")
async def test_a_stranger_cannot_change_address(running: RunningDesk) -> None:
    answers = []
    for number in range(8):
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": "8.8.8.8", "Forwarded": f"for=1.1.1.{number}"}
        answers.append(await running.http.post("/api/v1/conversations", json={}, headers=headers))
    assert is_refused(answers[-1])
    for text, network in (
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("not an address", "not an address"),
    ):
        assert network_of(text) == network


@pytest.mark.usefixtures("limited")
async def test_the_webhook_has_the_same_limits(running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "integration_token", "integration-token-of-the-tests")
    wrong = [await running.http.post(PATH, json={}, headers={"Authorization": "Bearer guess"}) for _ in range(20)]
    assert wrong[0].status_code == 401 and is_refused(wrong[-1])
    good = {"Authorization": "Bearer integration-token-of-the-tests"}
    talk = [await running.http.post(PATH, json={"sender": "a", "message": "x"}, headers=good) for _ in range(8)]
    assert talk[0].status_code == 200 and is_refused(talk[-1])


async def test_files_have_a_share_of_bytes(running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "limit_messages", 60)
    monkeypatch.setattr(settings, "attachment_limit", 1000)
    customer = await running.customer()
    for number in range(40):
        answer = await running.http.post(
            f"{customer.path}/messages",
            data={"client_id": f"f{number}"},
            files={"file": ("log.txt", b"a" * 1000, "text/plain")},
            headers=customer.headers,
        )
        if is_refused(answer):
            break
    assert number == limits.CONVERSATION_FILES and int(answer.headers["retry-after"]) > 60


async def test_limits_can_be_switched_off_together(running: RunningDesk) -> None:
    customer = await running.customer()
    answers = await asyncio.gather(
        *[running.http.post(f"{customer.path}/typing", headers=customer.headers) for _ in range(150)]
    )
    assert {answer.status_code for answer in answers} == {202}
