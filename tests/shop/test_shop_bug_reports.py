"""R&D's queue: filing, the promised time, answers by people and by themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from examples.shop.bug_reports import BugReportService
from examples.shop.clock import CHINA, answer_due
from examples.shop.seed import open_database

REPORT = {
    "device_model": "band-2",
    "firmware_version": "1.0.0.39",
    "app_version": "5.2.1",
    "os": "ios",
    "os_version": "17.4",
    "phone_model": "iPhone 6",
    "symptom": "步数一直为 0",
    "description": "iPhone 6上APP步数显示0，安卓正常",
    "tried": ["restart_device", "re_pair"],
    "conversation": "c-1",
}
ANSWER = {"answer": {"zh": "已修复，请升级。", "en": "Fixed, please update."}, "fixed_in": "1.0.0.45"}


async def file(shop, key: str = "once", **changes):
    return await shop.client.post("/bug-reports", json=REPORT | changes, headers={"Idempotency-Key": key})


class TestFile:
    async def test_created_with_a_promise(self, shop) -> None:
        response = await file(shop)
        body = response.json()
        assert response.status_code == 201
        assert body["status"] == "open"
        assert body["answer"] is None
        assert body["created_at"] == "2026-03-11T04:00:00Z"
        assert body["answer_due_at"] == "2026-03-12T10:00:00Z"
        assert (await shop.client.get(f"/bug-reports/{body['id']}")).json() == body

    async def test_once_for_each_key(self, shop) -> None:
        first = await file(shop)
        again = await file(shop)
        assert (again.status_code, again.json()) == (201, first.json())
        assert (await file(shop, description="别的")).json()["error"]["code"] == "idempotency_key_reused"
        assert (await file(shop, key="another")).json()["id"] != first.json()["id"]

    async def test_symptom_and_description_are_enough(self, shop) -> None:
        body = {"symptom": "步数为 0", "description": "走了路也没有步数"}
        response = await shop.client.post("/bug-reports", json=body, headers={"Idempotency-Key": "k"})
        assert response.status_code == 201

    @pytest.mark.parametrize("missing", ["symptom", "description"])
    async def test_without_them_not(self, shop, missing) -> None:
        body = {name: value for name, value in REPORT.items() if name != missing}
        response = await shop.client.post("/bug-reports", json=body, headers={"Idempotency-Key": "k"})
        assert response.status_code == 422
        assert response.json()["error"]["details"]["fields"][0]["field"] == missing

    async def test_without_a_key(self, shop) -> None:
        response = await shop.client.post("/bug-reports", json=REPORT)
        assert response.json()["error"]["code"] == "idempotency_key_missing"


def test_due_on_a_working_day_and_never_too_soon() -> None:
    start = datetime(2026, 3, 9, tzinfo=UTC)
    for hour in range(24 * 14):
        now = start + timedelta(hours=hour, minutes=30)
        due = answer_due(now).astimezone(CHINA)
        assert due.weekday() < 5
        assert (due.hour, due.minute) == (18, 0)
        assert timedelta(hours=12) <= due - now <= timedelta(days=4)


class TestAnswer:
    async def test_by_a_person(self, shop) -> None:
        report = (await file(shop)).json()
        shop.clock.forward(hours=2)
        answered = (await shop.client.post(f"/bug-reports/{report['id']}/answer", json=ANSWER)).json()
        assert answered == report | ANSWER | {"status": "answered", "answered_at": "2026-03-11T06:00:00Z"}
        assert (await shop.client.get(f"/bug-reports/{report['id']}")).json() == answered

    async def test_without_a_fix(self, shop) -> None:
        report = (await file(shop)).json()
        answered = await shop.client.post(f"/bug-reports/{report['id']}/answer", json={"answer": ANSWER["answer"]})
        assert answered.json()["fixed_in"] is None

    async def test_the_same_again_is_fine_another_is_not(self, shop) -> None:
        report = (await file(shop)).json()
        path = f"/bug-reports/{report['id']}/answer"
        first = await shop.client.post(path, json=ANSWER)
        shop.clock.forward(hours=1)
        assert (await shop.client.post(path, json=ANSWER)).json() == first.json()
        other = await shop.client.post(path, json=ANSWER | {"fixed_in": "9.9.9.9"})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "already_answered")

    @pytest.mark.parametrize("report_id", ["BR-9999", "BR-", "nonsense", "BR-99999999999999999999"])
    async def test_unknown(self, shop, report_id) -> None:
        for response in (
            await shop.client.get(f"/bug-reports/{report_id}"),
            await shop.client.post(f"/bug-reports/{report_id}/answer", json=ANSWER),
        ):
            assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")

    async def test_both_languages_are_needed(self, shop) -> None:
        report = (await file(shop)).json()
        response = await shop.client.post(f"/bug-reports/{report['id']}/answer", json={"answer": {"zh": "好"}})
        assert response.status_code == 422

    async def test_seeded_answers(self, shop) -> None:
        report = (await shop.client.get("/bug-reports/BR-1001")).json()
        assert (report["status"], report["fixed_in"]) == ("answered", "1.0.0.45")


class TestAnswerOld:
    async def test_an_old_version_is_told_the_fix(self, shop) -> None:
        report = (await file(shop)).json()
        self._answer_old(shop, seconds=60)
        assert (await self._get(shop, report))["status"] == "open"
        shop.clock.forward(seconds=60)
        self._answer_old(shop, seconds=60)
        answered = await self._get(shop, report)
        assert (answered["status"], answered["fixed_in"]) == ("answered", "1.0.0.45")
        assert "1.0.0.39" in answered["answer"]["zh"]

    @pytest.mark.parametrize(
        "changes", [{"firmware_version": "1.0.0.45"}, {"device_model": None}, {"firmware_version": None}]
    )
    async def test_the_newest_is_confirmed_with_a_date(self, shop, changes) -> None:
        report = (await file(shop, **changes)).json()
        self._answer_old(shop, seconds=0)
        answered = await self._get(shop, report)
        assert (answered["status"], answered["fixed_in"]) == ("answered", None)
        assert "3月25日" in answered["answer"]["zh"]

    async def test_nothing_is_answered_twice(self, shop) -> None:
        await file(shop)
        assert self._answer_old(shop, seconds=0) > 0
        assert self._answer_old(shop, seconds=0) == 0

    @staticmethod
    def _answer_old(shop, seconds: float) -> int:
        database = open_database(shop.database, shop.clock())
        try:
            return BugReportService(database, shop.clock).answer_old(timedelta(seconds=seconds))
        finally:
            database.close()

    @staticmethod
    async def _get(shop, report) -> dict:
        return (await shop.client.get(f"/bug-reports/{report['id']}")).json()
