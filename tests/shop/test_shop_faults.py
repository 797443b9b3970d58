"""Faults on demand."""

import time

import pytest

from examples.shop.faults import SLOW_SECONDS
from examples.shop.settings import Fault, SettingsError, parse_faults


async def test_error(open_shop) -> None:
    shop = await open_shop(faults=frozenset({Fault.ERROR}))
    for _ in range(3):
        response = await shop.client.get("/devices")
        assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")


async def test_flaky_fails_every_other_call(open_shop) -> None:
    shop = await open_shop(faults=frozenset({Fault.FLAKY}))
    responses = [await shop.client.get("/devices") for _ in range(6)]
    assert [response.status_code for response in responses] == [503, 200] * 3
    assert responses[0].json()["error"]["code"] == "unavailable"
    assert responses[0].headers["retry-after"] == "1"


async def test_slow_and_failing(open_shop) -> None:
    shop = await open_shop(faults=frozenset({Fault.SLOW, Fault.ERROR}))
    start = time.monotonic()
    response = await shop.client.get("/devices", timeout=30)
    assert time.monotonic() - start >= SLOW_SECONDS
    assert response.status_code == 500


async def test_flaky_and_error_never_succeed(open_shop) -> None:
    shop = await open_shop(faults=frozenset({Fault.FLAKY, Fault.ERROR}))
    states = [(await shop.client.get("/devices")).status_code for _ in range(4)]
    assert states == [503, 500, 503, 500]


async def test_health_is_spared(open_shop) -> None:
    shop = await open_shop(faults=frozenset(Fault))
    assert [(await shop.client.get("/healthz")).status_code for _ in range(2)] == [200, 200]


async def test_a_retry_with_the_same_key_succeeds_once(open_shop) -> None:
    shop = await open_shop(faults=frozenset({Fault.FLAKY}))
    order = shop.order("paid")
    assert (await shop.act("cancel", order, key="once")).status_code == 503
    assert (await shop.act("cancel", order, key="once")).status_code == 200


@pytest.mark.parametrize(
    ("text", "faults"),
    [("", set()), ("slow", {Fault.SLOW}), (" slow , flaky,", {Fault.SLOW, Fault.FLAKY})],
)
def test_names(text, faults) -> None:
    assert parse_faults(text) == faults


def test_unknown_name() -> None:
    with pytest.raises(SettingsError, match="broken"):
        parse_faults("slow,broken")
