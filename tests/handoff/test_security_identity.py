"""Customer tokens in an attacker's hands: forged, late, early, used twice, and names that look like another's."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from typing import Any

import jwt
import pytest
from sqlalchemy import select

from handoff.customers.models import Customer
from handoff.customers.service import SHORTEST_SECRET, shop_token
from handoff.desk import desk
from handoff.settings import settings
from tests.handoff.attackers import SQLITE
from tests.handoff.conftest import RunningDesk


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims with changes; a value of None leaves the claim out."""
    made = {"sub": "cus-1", "name": "李雷", "exp": int(time.time()) + 300, "jti": uuid.uuid4().hex, **changes}
    return {name: value for name, value in made.items() if value is not None}


def signed(secret: str | None = None, algorithm: str = "HS256", **changes: Any) -> str:
    """Sign claims as the company's site does, or wrongly."""
    return jwt.encode(claims(**changes), settings.identity_secret if secret is None else secret, algorithm=algorithm)


def unsigned(header: dict[str, Any], signature: str = "", **changes: Any) -> str:
    """Put a token together without any key."""
    parts = [json.dumps(part).encode() for part in (header, claims(**changes))]
    return ".".join([base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts] + [signature])


def raw_claims(text: str) -> str:
    """Sign claims that no library would write."""
    return jwt.api_jws.encode(text.encode(), settings.identity_secret, algorithm="HS256")


async def status(running: RunningDesk, token: Any) -> int:
    """Try to open a conversation with a token."""
    answer = await running.http.post("/api/v1/conversations", json={"customer_token": token})
    assert "Traceback" not in answer.text
    return answer.status_code


def forgeries() -> dict[str, str]:
    """Return every token that must not open anything."""
    moment = int(time.time())
    return {
        "wrong key": signed("another-secret-of-32-bytes-or-more"),
        "alg none": unsigned({"alg": "none", "typ": "JWT"}),
        "alg None": unsigned({"alg": "None"}),
        "alg NONE with a signature": unsigned({"alg": "NONE"}, "AAAA"),
        "no alg": unsigned({"typ": "JWT"}),
        "a key in the header": unsigned({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}, "AAAA"),
        "a key by path": unsigned({"alg": "HS256", "kid": "../../dev/null"}, "AAAA"),
        "HS512": signed(algorithm="HS512"),
        "HS384": signed(algorithm="HS384"),
        "signature cut": signed()[:-4],
        "payload swapped": ".".join(
            [signed().split(".")[0], signed(sub="cus-2").split(".")[1], signed().split(".")[2]]
        ),
        "expired": signed(exp=moment - 1),
        "expired long ago": signed(exp=1),
        "too long-lived": signed(exp=moment + 3600),
        "for ever": signed(exp=10**12),
        "beyond all calendars": raw_claims('{"sub":"a","jti":"b","exp":1e400}'),
        "not a number": raw_claims('{"sub":"a","jti":"b","exp":NaN}'),
        "not yet": signed(nbf=moment + 120),
        "from the future": signed(iat=moment + 120),
        "no exp": signed(exp=None),
        "no sub": signed(sub=None),
        "no jti": signed(jti=None),
        "exp a word": raw_claims(f'{{"sub":"a","jti":"b","exp":"{moment + 60}"}}'),
        "exp a list": raw_claims('{"sub":"a","jti":"b","exp":[1]}'),
        "exp an object": raw_claims('{"sub":"a","jti":"b","exp":{}}'),
        "exp true": raw_claims('{"sub":"a","jti":"b","exp":true}'),
        "exp null": raw_claims('{"sub":"a","jti":"b","exp":null}'),
        "nbf a list": raw_claims(f'{{"sub":"a","jti":"b","exp":{moment + 60},"nbf":[]}}'),
        "iat an object": raw_claims(f'{{"sub":"a","jti":"b","exp":{moment + 60},"iat":{{}}}}'),
        "sub a number": raw_claims(f'{{"sub":1001,"jti":"b","exp":{moment + 60}}}'),
        "sub a list": raw_claims(f'{{"sub":["a"],"jti":"b","exp":{moment + 60}}}'),
        "jti a number": raw_claims(f'{{"sub":"a","jti":7,"exp":{moment + 60}}}'),
        "claims a list": raw_claims("[1,2]"),
        "claims a word": raw_claims('"sub"'),
        "no JSON": raw_claims("{"),
        "deep": raw_claims('{"sub":' + "[" * 900 + "]" * 900 + "}"),
        "sub empty": signed(sub=""),
        "sub blank": signed(sub="   "),
        "sub with white space around": signed(sub=" cus-1 "),
        "sub with an ideographic space": signed(sub="cus-1\u3000"),
        "sub with something invisible": signed(sub="cus-1\u200b"),
        "sub written backwards": signed(sub="\u202ecus-1"),
        "sub with a line": signed(sub="cus-1\n"),
        "sub with NUL": signed(sub="cus-1\x00"),
        "sub with half a letter": raw_claims(f'{{"sub":"\\ud800","jti":"b","exp":{moment + 60}}}'),
        "jti with NUL": signed(jti="a\x00"),
        "sub too long": signed(sub="x" * 201),
        "jti too long": signed(jti="x" * 201),
        "no token": "x",
        "dots": "...",
    }


async def test_no_forgery_opens_anything(running: RunningDesk) -> None:
    for name, token in forgeries().items():
        assert await status(running, token) == 401, name
    for token in ("x" * 4001, 7, ["a"], {"a": 1}, True):
        assert await status(running, token) == 422
    async with desk.database.read() as session:
        assert list(await session.scalars(select(Customer))) == []


async def test_a_token_is_good_once_also_in_a_race(running: RunningDesk) -> None:
    token = signed()
    answers = await asyncio.gather(*[status(running, token) for _ in range(12)])
    assert sorted(answers) == [201] + [401] * 11
    assert await status(running, token) == 401


async def test_who_is_who_is_decided_to_the_letter(running: RunningDesk) -> None:
    names = ["cus-1", "CUS-1", "cus-１", "cus–1", "cus-1e\u0301", "cus-1é", "cus‑1", "сus-1"]
    for name in names:
        assert await status(running, signed(sub=name)) == 201, name
        assert await status(running, signed(sub=name)) == 201, name
    async with desk.database.read() as session:
        known = sorted(str(one) for one in await session.scalars(select(Customer.external_id)))
    assert known == sorted(names)


@SQLITE
async def test_names_are_words_and_nothing_else(running: RunningDesk) -> None:
    for name in ({"a": 1}, ["x"], 7, "\x00\u202e\n", "李\u202e雷\x00" + "长" * 300):
        assert await status(running, signed(sub="cus-9", name=name)) == 201
    async with desk.database.read() as session:
        shown = await session.scalar(select(Customer.name).where(Customer.external_id == "cus-9"))
    assert shown is not None and shown.isprintable() and shown.startswith("李") and len(shown) <= 200


@SQLITE
@pytest.mark.parametrize("secret", ["", "x", "secret", "a" * (SHORTEST_SECRET - 1)])
async def test_a_weak_secret_is_none(running: RunningDesk, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setattr(settings, "identity_secret", secret)
    for key in {secret or "x", "x"}:
        assert await status(running, signed(key)) == 401
    assert await status(running, unsigned({"alg": "HS256"})) == 401
    assert shop_token(Customer(id="u", external_id="cus-1")) is None
