"""The shapes that go in and out of the API."""

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from examples.shop.rules import Action, ReturnKind

Timestamp = Annotated[datetime, PlainSerializer(lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))]
"""ISO 8601 in UTC with `Z`."""


def _plain(text: Any) -> Any:
    """Trim, and turn full-width digits and letters into plain ones."""
    return unicodedata.normalize("NFKC", text).strip() if isinstance(text, str) else text


def _trim(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


def _printable(text: str, allowed: str = "\n\r\t") -> str:
    """Refuse what no one types: control characters and halves of surrogate pairs."""
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in allowed for character in text):
        raise ValueError("contains control characters")
    return text


def _one_line(text: str) -> str:
    return _printable(text, allowed="")


def _order_number(text: Any) -> Any:
    """People write order numbers with spaces, hyphens, in lower case."""
    return re.sub(r"[\s-]", "", _plain(text)).upper() if isinstance(text, str) else text


def _mobile(text: Any) -> Any:
    """Drop spaces, hyphens and the country code."""
    return re.sub(r"^(?:\+|00)86|[\s-]", "", _plain(text)) if isinstance(text, str) else text


Line = Annotated[str, BeforeValidator(_plain), AfterValidator(_one_line)]
Prose = Annotated[str, BeforeValidator(_trim), AfterValidator(_printable)]
OrderNumber = Annotated[Line, BeforeValidator(_order_number), Field(min_length=1, max_length=40)]
Last4 = Annotated[Line, Field(pattern=r"^[0-9]{4}$")]
CustomerToken = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_one_line)]
Version = Annotated[Line, Field(max_length=40)]
Short = Annotated[Line, Field(max_length=100)]
StepCode = Annotated[Line, Field(min_length=1, max_length=100)]


class Bilingual(BaseModel):
    """The same words in both languages."""

    zh: Annotated[Prose, Field(min_length=1, max_length=4000)]
    en: Annotated[Prose, Field(min_length=1, max_length=4000)]


class Request(BaseModel):
    """Base of the bodies that come in."""

    model_config = ConfigDict(extra="forbid")


class OrderLookup(Request):
    """Which order, and the proof that it is the caller's."""

    number: OrderNumber
    phone_last4: Last4


class CustomerLookup(Request):
    """Who the company's site says this is."""

    customer_token: CustomerToken


class Proof(Request):
    """The right to an order: the last four digits of the phone, or the customer's signed token."""

    phone_last4: Last4 | None = None
    customer_token: CustomerToken | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.phone_last4 is None) == (self.customer_token is None):
            raise ValueError("send either phone_last4 or customer_token")
        return self


class CancelRequest(Proof):
    """Call off an order that has not left the warehouse."""


class AddressRequest(Proof):
    """Where an order is to go instead; what is left out stays as it is."""

    recipient: Annotated[Line, Field(min_length=1, max_length=60)] | None = None
    phone: Annotated[Line, BeforeValidator(_mobile), Field(pattern=r"^1[3-9][0-9]{9}$")] | None = None
    address: Annotated[Line, Field(min_length=6, max_length=200)] | None = None

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        if self.recipient is None and self.phone is None and self.address is None:
            raise ValueError("send recipient, phone or address")
        return self


class InvoiceRequest(Proof):
    """Whom to invoice."""

    title: Annotated[Line, Field(min_length=2, max_length=100)]
    tax_number: Annotated[Line, Field(pattern=r"^[0-9A-Za-z]{15,20}$")] | None = None
    email: Annotated[Line, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None


class ReturnRequest(Proof):
    """Send a delivered order back."""

    kind: ReturnKind
    reason: Annotated[Prose, Field(min_length=1, max_length=500)]


class BugReportRequest(Request):
    """What misbehaves, on what, and what was tried."""

    symptom: Annotated[Prose, Field(min_length=1, max_length=200)]
    description: Annotated[Prose, Field(min_length=1, max_length=4000)]
    device_model: Short | None = None
    firmware_version: Version | None = None
    app_version: Version | None = None
    os: Short | None = None
    os_version: Version | None = None
    phone_model: Short | None = None
    tried: Annotated[list[StepCode], Field(max_length=50)] = []
    conversation: Short | None = None


class BugAnswerRequest(Request):
    """What R&D found out."""

    answer: Bilingual
    fixed_in: Version | None = None


class ItemOut(BaseModel):
    """A device in an order; price in yuan for one."""

    model: str
    name: Bilingual
    quantity: int
    price: float


class RecipientOut(BaseModel):
    """Who receives the order, masked; `city` is empty when the address names none."""

    name: str
    phone: str
    city: str
    address: str


class EventOut(BaseModel):
    """One line of tracking."""

    at: Timestamp
    place: Bilingual
    text: Bilingual


class ParcelOut(BaseModel):
    """A parcel and its way so far, oldest event first."""

    number: str
    direction: Literal["outbound", "return"]
    carrier: Bilingual
    status: str
    models: list[str]
    events: list[EventOut]


class RefundOut(BaseModel):
    """Money that goes back, in yuan."""

    amount: float
    status: Literal["pending", "paid"]
    expected_at: Timestamp


class InvoiceOut(BaseModel):
    """The invoice as far as it is."""

    title: str
    status: Literal["requested", "issued"]


class OrderOut(BaseModel):
    """An order as its customer may see it; amounts in yuan."""

    number: str
    status: str
    placed_at: Timestamp
    total: float
    currency: str
    items: list[ItemOut]
    recipient: RecipientOut
    parcels: list[ParcelOut]
    expected_date: date | None
    delivered_at: Timestamp | None
    refund: RefundOut | None
    invoice: InvoiceOut | None
    allowed: list[Action]


class CustomerOut(BaseModel):
    """A known customer."""

    id: str
    name: str


class CustomerOrdersOut(BaseModel):
    """A known customer's orders, newest first."""

    customer: CustomerOut
    orders: list[OrderOut]


class ActionOut(BaseModel):
    """What was done: the order afterwards, the words for the customer, a reference."""

    order: OrderOut
    message: Bilingual
    reference: str


class HighlightsOut(BaseModel):
    """Selling points or release notes."""

    zh: list[str]
    en: list[str]


class DeviceOut(BaseModel):
    """A device on sale; price in yuan."""

    model: str
    category: str
    name: Bilingual
    price: float
    for_sale: bool
    platforms: list[str]
    highlights: HighlightsOut
    latest_firmware: str
    latest_app: str
    app: Bilingual
    warranty_months: int


class DevicesOut(BaseModel):
    """Everything the shop sells."""

    devices: list[DeviceOut]


class FirmwareOut(BaseModel):
    """A version; `rollback_allowed`: may a device that runs it go back to the version before?"""

    version: str
    released_on: date
    notes: HighlightsOut
    min_app_version: str
    rollback_allowed: bool


class FirmwareHistoryOut(BaseModel):
    """All versions of a device's firmware, newest first."""

    model: str
    versions: list[FirmwareOut]


class BugReportOut(BaseModel):
    """A report and what became of it."""

    id: str
    status: Literal["open", "answered"]
    created_at: Timestamp
    answer_due_at: Timestamp
    answer: Bilingual | None
    answered_at: Timestamp | None
    fixed_in: str | None
    device_model: str | None
    symptom: str
