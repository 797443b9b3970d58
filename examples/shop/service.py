"""Orders, customers, devices and terms: what the shop does, apart from how it is called."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examples.shop import identity, schemas, views
from examples.shop.actions import PERFORM, REFERENCE_PREFIX, Context
from examples.shop.clock import Clock
from examples.shop.database import Database
from examples.shop.errors import ShopError, not_allowed
from examples.shop.idempotency import fingerprint, run_once
from examples.shop.models import Customer, Device, Order, Policy, ServiceRecord
from examples.shop.proofs import check_phone
from examples.shop.rules import Action, ReturnKind, refusal

Answer = tuple[int, dict[str, Any]]
"""Status code and body."""


class ShopService:
    """The back office behind the API."""

    def __init__(self, database: Database, identity_secret: str | None, clock: Clock) -> None:
        self._database = database
        self._identity_secret = identity_secret
        self._clock = clock

    def lookup_order(self, request: schemas.OrderLookup) -> schemas.OrderOut:
        """The order, for who proves it; raises ShopError 404 or 429."""
        now = self._clock()
        check_phone(self._database, request.number, request.phone_last4, now)
        with self._database.reading() as session:
            return views.order_view(session.get_one(Order, request.number), _policies(session), now)

    def lookup_customer(self, request: schemas.CustomerLookup) -> schemas.CustomerOrdersOut:
        """A known customer's orders, none for one who never bought anything; raises ShopError 401."""
        now = self._clock()
        who = identity.verify(request.customer_token, self._identity_secret, now)
        with self._database.reading() as session:
            customer = session.get(Customer, who.customer_id)
            name = customer.name if customer else who.name or who.customer_id
            policies = _policies(session)
            return schemas.CustomerOrdersOut(
                customer=schemas.CustomerOut(id=who.customer_id, name=name),
                orders=[views.order_view(order, policies, now) for order in _orders_of(session, who.customer_id)],
            )

    def act(self, action: Action, number: str, request: schemas.Proof, key: str) -> Answer:
        """Do once what the customer asks for.

        Raises ShopError 401, 404 or 429 for a bad proof, 409 when the state does not allow it or the key is another's.
        """
        now = self._clock()
        self._check_proof(number, request, now)
        asked = fingerprint(f"{action} {number}", request)
        with self._database.writing() as session:
            return run_once(session, key, asked, now, 200, lambda: _perform(session, action, number, request, now))

    def devices(self) -> schemas.DevicesOut:
        """Everything the shop sells."""
        with self._database.reading() as session:
            devices = session.scalars(select(Device).order_by(Device.position))
            return schemas.DevicesOut(devices=[views.device_view(device) for device in devices])

    def firmware(self, model: str) -> schemas.FirmwareHistoryOut:
        """A device's firmware history; raises ShopError 404."""
        with self._database.reading() as session:
            device = session.get(Device, model)
            if device is None:
                raise ShopError(404, "unknown_model")
            return views.firmware_view(device)

    def policies(self) -> dict[str, Any]:
        """The shop's terms by chapter."""
        with self._database.reading() as session:
            return _policies(session)

    def check(self) -> None:
        """Raise when the database does not answer."""
        with self._database.reading() as session:
            session.scalar(select(Policy.name).limit(1))

    def _check_proof(self, number: str, request: schemas.Proof, now: datetime) -> None:
        if request.phone_last4 is not None:
            return check_phone(self._database, number, request.phone_last4, now)
        who = identity.verify(request.customer_token or "", self._identity_secret, now)
        with self._database.reading() as session:
            order = session.get(Order, number)
            if order is None or order.customer_id != who.customer_id:
                raise ShopError(404, "not_found")


def _perform(session: Session, action: Action, number: str, request: schemas.Proof, now: datetime) -> schemas.ActionOut:
    order = session.get_one(Order, number)
    context = Context(_policies(session), now)
    kind = request.kind if isinstance(request, schemas.ReturnRequest) else ReturnKind.EXCHANGE
    reason = refusal(order, action, context.policies, now, kind)
    if reason is not None:
        raise not_allowed(order.status, reason)
    message = PERFORM[action](order, request, context)
    details = request.model_dump(mode="json", exclude={"phone_last4", "customer_token"})
    record = ServiceRecord(order_number=number, action=action, details=details, created_at=now)
    session.add(record)
    session.flush()
    return schemas.ActionOut(
        order=views.order_view(order, context.policies, now),
        message=schemas.Bilingual.model_validate(message),
        reference=f"{REFERENCE_PREFIX[action]}-{1000 + record.id}",
    )


def _orders_of(session: Session, customer_id: str) -> Sequence[Order]:
    newest_first = select(Order).where(Order.customer_id == customer_id).order_by(Order.placed_at.desc())
    return session.scalars(newest_first).unique().all()


def _policies(session: Session) -> dict[str, Any]:
    return {policy.name: policy.terms for policy in session.scalars(select(Policy))}
