"""The API's calls. Plain functions: they run in threads, since the database blocks; what they depend on does not."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from examples.shop import schemas
from examples.shop.bug_reports import BugReportService
from examples.shop.idempotency import idempotency_key
from examples.shop.rules import Action
from examples.shop.service import Answer, ShopService

router = APIRouter()


async def _shop(request: Request) -> ShopService:
    service: ShopService = request.app.state.shop
    return service


async def _bug_reports(request: Request) -> BugReportService:
    service: BugReportService = request.app.state.bug_reports
    return service


Shop = Annotated[ShopService, Depends(_shop)]
BugReports = Annotated[BugReportService, Depends(_bug_reports)]
Key = Annotated[str, Depends(idempotency_key)]


def _json(answer: Answer) -> JSONResponse:
    status_code, body = answer
    return JSONResponse(body, status_code)


@router.get("/healthz")
def health(shop: Shop) -> dict[str, str]:
    """The program and its database answer. Open to all, spared from faults."""
    shop.check()
    return {"status": "ok"}


@router.post("/orders/lookup")
def lookup_order(body: schemas.OrderLookup, shop: Shop) -> schemas.OrderOut:
    """An order by its number and a second proof."""
    return shop.lookup_order(body)


@router.post("/customers/lookup")
def lookup_customer(body: schemas.CustomerLookup, shop: Shop) -> schemas.CustomerOrdersOut:
    """A known customer and their orders, newest first."""
    return shop.lookup_customer(body)


@router.post("/orders/{number}/cancel", response_model=schemas.ActionOut)
def cancel(number: schemas.OrderNumber, body: schemas.CancelRequest, key: Key, shop: Shop) -> JSONResponse:
    """Cancel an order that has not been shipped."""
    return _json(shop.act(Action.CANCEL, number, body, key))


@router.post("/orders/{number}/address", response_model=schemas.ActionOut)
def change_address(number: schemas.OrderNumber, body: schemas.AddressRequest, key: Key, shop: Shop) -> JSONResponse:
    """Change where an order goes that has not been shipped."""
    return _json(shop.act(Action.ADDRESS, number, body, key))


@router.post("/orders/{number}/invoice", response_model=schemas.ActionOut)
def request_invoice(number: schemas.OrderNumber, body: schemas.InvoiceRequest, key: Key, shop: Shop) -> JSONResponse:
    """Ask for an electronic invoice."""
    return _json(shop.act(Action.INVOICE, number, body, key))


@router.post("/orders/{number}/return", response_model=schemas.ActionOut)
def return_order(number: schemas.OrderNumber, body: schemas.ReturnRequest, key: Key, shop: Shop) -> JSONResponse:
    """Return or exchange a delivered order."""
    return _json(shop.act(Action.RETURN, number, body, key))


@router.get("/devices")
def devices(shop: Shop) -> schemas.DevicesOut:
    """Everything the shop sells, with the newest versions."""
    return shop.devices()


@router.get("/devices/{model}/firmware")
def firmware(model: str, shop: Shop) -> schemas.FirmwareHistoryOut:
    """A device's firmware, newest first."""
    return shop.firmware(model)


@router.post("/bug-reports", status_code=201, response_model=schemas.BugReportOut)
def file_bug_report(body: schemas.BugReportRequest, key: Key, bug_reports: BugReports) -> JSONResponse:
    """Tell R&D about something that misbehaves."""
    return _json(bug_reports.file(body, key))


@router.get("/bug-reports/{report_id}")
def bug_report(report_id: str, bug_reports: BugReports) -> schemas.BugReportOut:
    """A report and R&D's answer."""
    return bug_reports.get(report_id)


@router.post("/bug-reports/{report_id}/answer")
def answer_bug_report(report_id: str, body: schemas.BugAnswerRequest, bug_reports: BugReports) -> schemas.BugReportOut:
    """R&D's side: answer a report."""
    return bug_reports.answer(report_id, body)


@router.get("/policies")
def policies(shop: Shop) -> dict[str, Any]:
    """Delivery, return, exchange, refund, warranty, invoice and address terms."""
    return shop.policies()
