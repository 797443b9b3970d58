"""Second proofs: who may see or change an order, and how often one may guess."""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examples.shop.database import Database
from examples.shop.errors import ShopError
from examples.shop.models import Customer, Order, WrongProof

MAX_WRONG = 5
WINDOW = timedelta(hours=1)


def check_phone(database: Database, number: str, phone_last4: str, now: datetime) -> None:
    """Pass when the digits belong to the order's buyer or recipient.

    Raises ShopError 404 otherwise, the same for an order that does not exist, and 429 after five wrong proofs for
    the number within an hour. Count and check share one write transaction, so guesses in parallel gain nothing.
    """
    with database.writing() as session:
        wait = _wait(session, number, now)
        if wait is None and _belongs(session, number, phone_last4):
            return
        if wait is None:
            session.execute(delete(WrongProof).where(WrongProof.at <= now - WINDOW))
            session.add(WrongProof(number=number, at=now))
    if wait is None:
        raise ShopError(404, "not_found")
    seconds = max(1, int(wait.total_seconds()))
    raise ShopError(429, "too_many_proofs", headers={"Retry-After": str(seconds)}, minutes=-(-seconds // 60))


def _wait(session: Session, number: str, now: datetime) -> timedelta | None:
    """How long until the number may be tried again; None: now."""
    recent = select(WrongProof.at).where(WrongProof.number == number, WrongProof.at > now - WINDOW)
    times = session.scalars(recent.order_by(WrongProof.at.desc()).limit(MAX_WRONG)).all()
    return times[-1] + WINDOW - now if len(times) == MAX_WRONG else None


def _belongs(session: Session, number: str, phone_last4: str) -> bool:
    """Ask the same question, and compare as often, whether or not there is such an order."""
    phones = select(Customer.phone, Order.recipient_phone).join(Order.customer).where(Order.number == number)
    return any([hmac.compare_digest(phone[-4:], phone_last4) for phone in session.execute(phones).first() or ("", "")])
