"""Known customers: the company's site signs who they are; we sign it on to the shop."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.clock import now
from handoff.customers.models import Customer, UsedToken
from handoff.errors import ApiError
from handoff.identifiers import hash_token, new_id
from handoff.settings import settings

LONGEST_NAME = 200
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
JOINER = "\u200d"  # joins emoji and letters of some scripts
LONGEST_LIFE = timedelta(minutes=10)
CLOCK_LEEWAY = timedelta(seconds=30)
SHORTEST_SECRET = 16


class Customers:
    """Customers within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def anonymous(self) -> Customer:
        """Make a customer of whom nothing is known."""
        customer = Customer(id=new_id("u"), created_at=now())
        self.session.add(customer)
        await self.session.flush()
        return customer

    async def identified(self, token: str) -> Customer:
        """Return the customer that a signed token names; 401 `bad_customer_token` when bad, too long-lived or used."""
        claims = _verify(token)
        await self._use_once(claims["jti"], datetime.fromtimestamp(claims["exp"], UTC))
        external_id = claims["sub"]
        customer = await self._known(external_id) or await self._new(external_id)
        name = claims.get("name")
        if isinstance(name, str):
            customer.name = readable_name(name) or customer.name
        await self.session.flush()
        return customer

    async def _known(self, external_id: str) -> Customer | None:
        return await self.session.scalar(select(Customer).where(Customer.external_id == external_id))

    async def _new(self, external_id: str) -> Customer:
        customer = Customer(id=new_id("u"), external_id=external_id, created_at=now())
        try:
            async with self.session.begin_nested():
                self.session.add(customer)
        except IntegrityError:  # another page of the same customer was a moment faster
            return (await self.session.scalars(select(Customer).where(Customer.external_id == external_id))).one()
        return customer

    async def _use_once(self, jti: str, expires_at: datetime) -> None:
        await self.session.execute(delete(UsedToken).where(UsedToken.expires_at < now() - CLOCK_LEEWAY))
        try:
            async with self.session.begin_nested():
                self.session.add(UsedToken(jti=hash_token(jti), expires_at=expires_at))
        except IntegrityError:
            raise ApiError(401, "bad_customer_token") from None


def readable_name(name: str) -> str:
    """Return a name as one line that shows what it is: no control characters, nothing that turns what stands around it.

    Empty when nothing of it can be seen.
    """
    letters = (one if one == JOINER or unicodedata.category(one) not in UNSEEN else " " for one in name[:LONGEST_NAME])
    line = " ".join("".join(letters).split())
    return "" if set(line) <= {JOINER, " "} else line


def _verify(token: str) -> dict[str, Any]:
    """Return the claims of a token that the company's site signed; 401 `bad_customer_token` for any other.

    Who is who is decided to the letter: `sub` is neither trimmed nor folded, and one that only looks like another's
    (outer white space, invisible characters) is refused.
    """
    try:
        claims = jwt.decode(token, _secret(), algorithms=["HS256"], options={"require": ["sub", "exp", "jti"]})
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError, RecursionError):
        raise ApiError(401, "bad_customer_token") from None
    if not (_is_name(claims["sub"]) and _is_name(claims["jti"]) and expires_at <= now() + LONGEST_LIFE + CLOCK_LEEWAY):
        raise ApiError(401, "bad_customer_token")
    return dict(claims)


def _secret() -> str:
    """Return the secret shared with the company's site; 401 when there is none that deserves the name."""
    if len(settings.identity_secret.encode()) < SHORTEST_SECRET:
        raise ApiError(401, "bad_customer_token")
    return settings.identity_secret


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value == value.strip() and value.isprintable()


def shop_token(customer: Customer) -> str | None:
    """Sign a five-minute token for asking the shop for this customer's orders; None for anonymous ones."""
    if customer.external_id is None or len(settings.identity_secret.encode()) < SHORTEST_SECRET:
        return None
    claims = {
        "sub": customer.external_id,
        "name": customer.name or "",
        "exp": now() + timedelta(minutes=5),
        "jti": new_id("j"),
    }
    return jwt.encode(claims, settings.identity_secret, algorithm="HS256")
