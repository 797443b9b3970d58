"""Schemathesis against the desk's own OpenAPI document, for every role, and hypothesis against the sockets.

Longer: `FUZZ_SECONDS=600`. Again as it was: the seed that the failing run printed, `FUZZ_SEED=...`.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from handoff.settings import settings
from tests.handoff.conftest import Person, RunningDesk
from tests.handoff.whole import assert_nothing_is_half
from tests.handoff.wires import Wire

SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(2**31)))
ROLES = ("customer", "agent", "supervisor", "admin", "designer", "anonymous")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)
ENDS_THE_LOGIN = "logout$|/token$"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def rasas_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa's own Socket.IO channel is on, as for an existing web chat."""
    monkeypatch.setattr(settings, "rasa_socketio", True)


async def scene(running: RunningDesk, role: str) -> tuple[str, str, str]:
    """Make conversations in every state; returns one's id, a handoff's id, and the role's bearer."""
    agent = await running.person("ann")
    person: Person = agent
    if role in {"supervisor", "admin", "designer"}:
        person = await running.person("pat", role)
    held, waiting = await running.customer(), await running.customer()
    for customer in (held, waiting):
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
    handoff = next(item["id"] for item in await agent.queue() if item["conversation_id"] == waiting.id)
    await agent.claim(held.id)
    bearer = {"customer": held.token, "anonymous": ""}.get(role, person.token)
    return held.id, handoff, bearer


def configuration(conversation: str, handoff: str) -> str:
    """Half of the calls shall meet something that is there."""
    return f"""
[parameters]
"path.id" = ["{conversation}", "{handoff}", "c_unknown", "%00", "../../etc"]
"query.wait" = 0

[[operations]]
include-path = "/v1/handoffs/{{id}}/claim"
parameters = {{ "path.id" = "{handoff}" }}
"""


async def fuzz(url: str, bearer: str, config: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    words = [
        *[sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)],
        *["run", f"{url}/api/openapi.json", "--url", f"{url}/api", "--checks", CHECKS, "--seed", str(SEED)],
        *["--max-time", str(seconds), "--max-examples", "10000" if SECONDS > 60 else "30", "--warnings", "off"],
        *["--phases", "examples,coverage,fuzzing", "--no-shrink", "--continue-on-failure", "--suppress-health-check"],
        *["all", "--exclude-path-regex", ENDS_THE_LOGIN, "--request-timeout", "30", "--output-sanitize", "false"],
        *(["--header", f"Authorization: Bearer {bearer}"] if bearer else []),
    ]
    return await asyncio.to_thread(
        subprocess.run,
        words,
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        cwd=config.parent,
        env={**os.environ, "NO_COLOR": "1"},
    )


@pytest.mark.parametrize("role", ROLES)
async def test_no_call_breaks_the_desk_or_its_document(
    running: RunningDesk, role: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    conversation, handoff, bearer = await scene(running, role)
    config = tmp_path / "schemathesis.toml"
    config.write_text(configuration(conversation, handoff))
    done = await fuzz(running.url, bearer, config, SECONDS)
    print(f"FUZZ_SEED={SEED}\n{done.stdout[-12000:]}\n{done.stderr[-2000:]}")
    assert done.returncode == 0, f"replay with FUZZ_SEED={SEED}\n{done.stdout[-6000:]}\n{done.stderr[-1500:]}"
    assert await assert_nothing_is_half() >= 4
    assert "request_failed" not in capfd.readouterr().err
    assert settings.demo, "the settings are this test's own"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


def nearly(conversation: str) -> st.SearchStrategy[Any]:
    """What a client might send: nearly right, or anything at all."""
    known = st.sampled_from([conversation, "c_unknown", "", "../x", "\x00"])
    texts = st.text(max_size=200) | st.sampled_from(
        ["你好", "/request_human", "/cancel_handoff", "x" * 5000, "\x00", "\ud83d"]
    )
    body = st.fixed_dictionaries(
        {},
        optional={
            "client_id": st.text(min_size=1, max_size=110) | json_values,
            "text": texts | json_values,
            "payload": st.sampled_from(["/request_human", "/greet", "/x{}"]) | json_values,
            "conversation": known | json_values,
            "on": st.booleans() | json_values,
            "session_id": known | json_values,
            "message": texts | json_values,
            "customData": json_values,
            "metadata": json_values,
        },
    )
    return body | json_values


def examples(strategy: st.SearchStrategy[Any], count: int, seed: int) -> list[Any]:
    """`count` examples that the seed alone decides."""
    from hypothesis import HealthCheck, Phase, given
    from hypothesis import seed as with_seed
    from hypothesis import settings as how

    made: list[Any] = []

    @with_seed(seed)
    @how(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(strategy)
    def collect(value: Any) -> None:
        made.append(value)

    collect()
    return made


@pytest.mark.parametrize("namespace", ["/jieli", "/agents", "/"])
async def test_no_socket_event_breaks_the_desk(
    running: RunningDesk, namespace: str, capfd: pytest.CaptureFixture[str]
) -> None:
    count = int(60 * max(1.0, SECONDS / 10))
    customer, person = await running.with_agent()
    auth = {
        "/jieli": {"conversation": customer.id, "token": customer.token, "after": 0},
        "/agents": {"token": person.token},
        "/": None,
    }[namespace]
    wire = Wire(namespace)
    print(f"FUZZ_SEED={SEED}")
    assert await wire.connect(running.url, auth)
    for number, value in enumerate(examples(nearly(customer.id), count, SEED)):
        speak = "user_uttered" if namespace == "/" else "send"
        name = (speak, "session_request" if namespace == "/" else "typing", speak, uuid.uuid4().hex)[number % 4]
        if name == speak:
            try:
                answer = await wire.client.call(name, value, namespace=namespace, timeout=20)
            except UnicodeEncodeError:
                continue
            assert answer is not None and set(answer) in ({"seq"}, {"error"}), (value, answer)
            if "error" in answer:
                assert set(answer["error"]) == {"code", "message", "details"}
        else:
            await wire.client.emit(name, value, namespace=namespace)
    for strange in examples(json_values, count // 3, SEED + 1):
        other = Wire(namespace)
        if await other.connect(running.url, strange):
            await other.client.disconnect()
    await asyncio.sleep(0.3)
    assert (await customer.read())["owner"]
    await assert_nothing_is_half()
    written = capfd.readouterr().err
    assert "Traceback" not in written and "send_failed" not in written
    await wire.client.disconnect()
