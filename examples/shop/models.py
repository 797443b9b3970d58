"""What the shop keeps. Money is whole fen (1/100 yuan), times are UTC, texts for people are `{"zh", "en"}`."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

Text = dict[str, str]
"""The same words in Chinese (`zh`) and English (`en`)."""


class Status(StrEnum):
    """The states of an order."""

    UNPAID = "unpaid"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    LOST = "lost"
    CANCELLED = "cancelled"
    RETURNING = "returning"
    REFUNDED = "refunded"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as naive UTC because SQLite has no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
    }


class Customer(Base):
    """Someone with an account."""

    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str]


class Order(Base):
    """One purchase."""

    __tablename__ = "orders"
    number: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[Status]
    placed_at: Mapped[datetime]
    total: Mapped[int]
    currency: Mapped[str] = mapped_column(default="CNY")
    recipient_name: Mapped[str]
    recipient_phone: Mapped[str]
    recipient_city: Mapped[str]
    recipient_address: Mapped[str]
    expected_date: Mapped[date | None]
    delivered_at: Mapped[datetime | None]
    refund_amount: Mapped[int | None]
    refund_status: Mapped[str | None]
    refund_expected_at: Mapped[datetime | None]
    invoice_title: Mapped[str | None]
    invoice_tax_number: Mapped[str | None]
    invoice_email: Mapped[str | None]
    invoice_status: Mapped[str | None]
    customer: Mapped[Customer] = relationship(lazy="joined", innerjoin=True)
    items: Mapped[list["OrderItem"]] = relationship(order_by="OrderItem.id", lazy="selectin")
    parcels: Mapped[list["Parcel"]] = relationship(order_by="Parcel.id", lazy="selectin")


class OrderItem(Base):
    """A device in an order, at the price of that day."""

    __tablename__ = "order_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_number: Mapped[str] = mapped_column(ForeignKey("orders.number"), index=True)
    model: Mapped[str] = mapped_column(ForeignKey("devices.model"))
    quantity: Mapped[int]
    price: Mapped[int]
    device: Mapped["Device"] = relationship(lazy="joined", innerjoin=True)


class Parcel(Base):
    """A parcel to the customer (`outbound`) or back (`return`)."""

    __tablename__ = "parcels"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    order_number: Mapped[str] = mapped_column(ForeignKey("orders.number"), index=True)
    direction: Mapped[str]
    carrier: Mapped[dict[str, str]]
    warehouse: Mapped[dict[str, str]]
    city: Mapped[dict[str, str]]
    """Where the warehouse stands."""
    models: Mapped[list[str]]
    status: Mapped[str]
    events: Mapped[list["ParcelEvent"]] = relationship(order_by="ParcelEvent.at", lazy="selectin")


class ParcelEvent(Base):
    """One line of a parcel's tracking."""

    __tablename__ = "parcel_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), index=True)
    at: Mapped[datetime]
    place: Mapped[dict[str, str]]
    text: Mapped[dict[str, str]]


class Device(Base):
    """Something the shop makes and sells."""

    __tablename__ = "devices"
    position: Mapped[int]
    model: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str]
    name: Mapped[dict[str, str]]
    price: Mapped[int]
    for_sale: Mapped[bool]
    platforms: Mapped[list[str]]
    highlights: Mapped[dict[str, Any]]
    latest_app: Mapped[str]
    app: Mapped[dict[str, str]]
    warranty_months: Mapped[int]
    firmware: Mapped[list["Firmware"]] = relationship(order_by="Firmware.id", lazy="selectin")

    @property
    def latest_firmware(self) -> str:
        """The newest version."""
        return self.firmware[0].version


class Firmware(Base):
    """A version of a device's firmware; stored newest first."""

    __tablename__ = "firmware"
    __table_args__ = (UniqueConstraint("model", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(ForeignKey("devices.model"))
    version: Mapped[str]
    released_on: Mapped[date]
    notes: Mapped[dict[str, Any]]
    min_app_version: Mapped[str]
    rollback_allowed: Mapped[bool]


class BugReport(Base):
    """Something that misbehaves, in R&D's queue."""

    __tablename__ = "bug_reports"
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    report: Mapped[dict[str, Any]]
    """What was reported, as the API took it."""
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answered_at: Mapped[datetime | None]
    fixed_in: Mapped[str | None]


class Policy(Base):
    """One chapter of the shop's terms."""

    __tablename__ = "policies"
    name: Mapped[str] = mapped_column(primary_key=True)
    terms: Mapped[dict[str, Any]]


class ServiceRecord(Base):
    """What was done to an order on a customer's wish."""

    __tablename__ = "service_records"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_number: Mapped[str] = mapped_column(ForeignKey("orders.number"), index=True)
    action: Mapped[str]
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class WrongProof(Base):
    """A failed attempt to prove the right to an order; kept for numbers that do not exist, too."""

    __tablename__ = "wrong_proofs"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class StoredAnswer(Base):
    """The answer to a call that carried an idempotency key."""

    __tablename__ = "stored_answers"
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status_code: Mapped[int]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)
