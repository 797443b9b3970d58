"""Known customers: the short-lived tokens that the company's site signs (JWT, HS256, `IDENTITY_SECRET`)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import jwt

from examples.shop.errors import ShopError

TOKEN_LIFETIME = timedelta(minutes=5)
MAX_LIFETIME = timedelta(minutes=10)
_CLOCK_SKEW = timedelta(seconds=30)


@dataclass(frozen=True)
class Identity:
    """Whom a token names."""

    customer_id: str
    name: str | None


def sign(customer_id: str, name: str, secret: str, now: datetime) -> str:
    """A token for one customer, good for five minutes."""
    claims = {"sub": customer_id, "name": name, "iat": now, "exp": now + TOKEN_LIFETIME, "jti": uuid4().hex}
    return jwt.encode(claims, secret, algorithm="HS256")


def verify(token: str, secret: str | None, now: datetime) -> Identity:
    """Whom the token names; raises ShopError 401 when it is forged, expired, lives too long, or no secret is set."""
    if secret is None:
        raise ShopError(401, "invalid_customer_token")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
        )
        expires = datetime.fromtimestamp(int(claims["exp"]), tz=now.tzinfo)
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError) as error:
        raise ShopError(401, "invalid_customer_token") from error
    if not now - _CLOCK_SKEW < expires <= now + MAX_LIFETIME + _CLOCK_SKEW:
        raise ShopError(401, "invalid_customer_token")
    name = claims.get("name")
    return Identity(claims["sub"], name if isinstance(name, str) else None)
