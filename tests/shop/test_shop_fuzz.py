"""The shop's calls with bodies that are nearly right or plainly wrong: always an answer in the agreed shape."""

import json
import os
import random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.shop.test_shop_errors import CALLS, error_of

SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(2**31)))
COUNT = 15 * max(1, int(os.environ.get("FUZZ_SECONDS", "10")) // 10)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["\x00", "\ud800", "1" * 500]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "number",
    "phone_last4",
    "customer_token",
    "recipient",
    "phone",
    "address",
    "title",
    "email",
    "kind",
    "reason",
    "zh",
    "en",
    "symptom",
]
bodies = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), values, max_size=5) | values


def made(count: int) -> list[tuple[object, str]]:
    """Bodies and idempotency keys that the seed alone decides."""
    found: list[tuple[object, str]] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(bodies, st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=120))
    def collect(body: object, key: str) -> None:
        found.append((body, key))

    collect()
    return found


@pytest.mark.parametrize(("method", "path"), [one for one in CALLS if one[0] == "POST"])
async def test_no_body_breaks_a_call(shop, method, path) -> None:
    print(f"FUZZ_SEED={SEED}")
    for body, key in made(COUNT):
        raw = json.dumps(body).encode()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        response = await shop.client.request(method, path, content=raw, headers=headers)
        assert response.status_code < 500, (SEED, path, body, response.text)
        assert "Traceback" not in response.text
        if response.status_code >= 400:
            error_of(response)
    assert (await shop.client.get("/devices")).status_code == 200
