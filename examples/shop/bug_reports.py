"""R&D's queue: reports come in with a promise of when they are answered, and answers go out."""

import asyncio
import logging
import re
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from examples.shop import schemas, views
from examples.shop.clock import Clock, add_working_days, answer_due, china_date
from examples.shop.database import Database
from examples.shop.errors import ShopError
from examples.shop.idempotency import fingerprint, run_once
from examples.shop.models import BugReport, Device, Text
from examples.shop.service import Answer
from examples.shop.texts import day_text, say

_log = logging.getLogger(__name__)
_FIX_WORKING_DAYS = 10
_ID = re.compile(r"BR-([0-9]{1,12})")


class BugReportService:
    """Files, shows and answers bug reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def file(self, request: schemas.BugReportRequest, key: str) -> Answer:
        """File a report once; raises ShopError 409 for another call's key."""
        now = self._clock()

        def work() -> schemas.BugReportOut:
            report = new_report(request.model_dump(mode="json"), now)
            session.add(report)
            session.flush()
            return views.bug_report_view(report)

        with self._database.writing() as session:
            return run_once(session, key, fingerprint("bug-reports", request), now, 201, work)

    def get(self, report_id: str) -> schemas.BugReportOut:
        """A report with its answer, if any; raises ShopError 404."""
        with self._database.reading() as session:
            report = session.get(BugReport, _key(report_id))
            if report is None:
                raise ShopError(404, "unknown_report")
            return views.bug_report_view(report)

    def answer(self, report_id: str, request: schemas.BugAnswerRequest) -> schemas.BugReportOut:
        """R&D's answer; the same one again is fine, another one raises ShopError 409, no such report 404."""
        answer = request.answer.model_dump()
        with self._database.writing() as session:
            report = session.get(BugReport, _key(report_id))
            if report is None:
                raise ShopError(404, "unknown_report")
            if report.answer is not None and (report.answer, report.fixed_in) != (answer, request.fixed_in):
                raise ShopError(409, "already_answered")
            if report.answer is None:
                _settle(report, answer, request.fixed_in, self._clock())
            return views.bug_report_view(report)

    def answer_old(self, older_than: timedelta) -> int:
        """Answer every open report of at least this age from what the firmware history says; how many there were."""
        now = self._clock()
        waiting = select(BugReport).where(BugReport.answered_at.is_(None), BugReport.created_at <= now - older_than)
        with self._database.writing() as session:
            reports = session.scalars(waiting).all()
            for report in reports:
                answer, fixed_in = _finding(report, session.get(Device, report.report.get("device_model") or ""), now)
                _settle(report, answer, fixed_in, now)
            return len(reports)


def new_report(content: dict[str, object], now: datetime) -> BugReport:
    """An open report, due on the next working day."""
    return BugReport(created_at=now, answer_due_at=answer_due(now), report=content)


async def keep_answering(service: BugReportService, after_seconds: float) -> None:
    """R&D at work without people: answer open reports once they are old enough, until cancelled."""
    pause = min(max(after_seconds, 0.2), 1.0)
    while True:
        try:
            await asyncio.to_thread(service.answer_old, timedelta(seconds=after_seconds))
        except SQLAlchemyError:
            _log.exception("answering bug reports failed, trying again")
        await asyncio.sleep(pause)


def _key(report_id: str) -> int:
    match = _ID.fullmatch(report_id.upper())
    return int(match.group(1)) if match else 0


def _settle(report: BugReport, answer: Text, fixed_in: str | None, now: datetime) -> None:
    report.answer = answer
    report.fixed_in = fixed_in
    report.answered_at = now


def _finding(report: BugReport, device: Device | None, now: datetime) -> tuple[Text, str | None]:
    """Fixed by the newest firmware when the customer's is older, else confirmed for the next one."""
    reported = report.report.get("firmware_version")
    latest = device.latest_firmware if device else None
    if reported and latest and _version(reported) < _version(latest):
        return say("rnd.fixed", reported=reported, fixed_in=latest), latest
    by = add_working_days(china_date(now), _FIX_WORKING_DAYS)
    return say("rnd.confirmed", date=day_text(by)), None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", text))
