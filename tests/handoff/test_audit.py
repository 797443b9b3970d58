"""The dependency audit: it fails for what is not accepted, and never takes silence for a clean bill."""

from __future__ import annotations

import pytest

from handoff.runner import audit
from handoff.runner.audit import CLEAN, FOUND, LOCKS, UNCHECKED, Pin, Report, accepted, ask, judge, pins

OLD = Pin("requests", "2.19.0")


def test_both_lock_files_are_read_whole() -> None:
    assert {pin.name for pin in pins(LOCKS["product"])} >= {"fastapi", "sqlalchemy", "argon2-cffi"}
    assert {pin.name for pin in pins(LOCKS["bot"])} >= {"rasa", "sanic", "aiohttp", "tensorflow-cpu"}


def test_every_accepted_finding_has_a_reason_and_a_package_that_is_pinned() -> None:
    pinned = {(environment, pin.name) for environment, lock in LOCKS.items() for pin in pins(lock)}
    for place, findings in accepted().items():
        assert place in pinned, f"{place} is not in the lock file any more"
        assert all(len(reason) > 20 for reason in findings.values())


def test_an_accepted_finding_passes_and_another_fails() -> None:
    reasons = {("bot", "requests"): {"CVE-1": "Not reachable from here."}}
    assert judge("bot", Report({OLD: [{"PYSEC-9", "CVE-1"}]}), reasons)[0] == CLEAN
    assert judge("bot", Report({OLD: [{"CVE-1"}, {"CVE-2"}]}), reasons)[0] == FOUND
    assert judge("product", Report({OLD: [{"CVE-1"}]}), reasons)[0] == FOUND
    assert judge("bot", Report(unchecked={OLD: "away"}), reasons)[0] == UNCHECKED
    assert judge("bot", Report({OLD: [{"CVE-2"}]}, {Pin("a", "1"): "away"}), reasons)[0] == FOUND


@pytest.mark.parametrize("answer", ["no connection", [], [{"name": "requests", "skip_reason": "not found"}]])
def test_silence_is_no_clean_bill(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_pip_audit", lambda _file: answer)
    assert list(ask([OLD]).unchecked) == [OLD]
    monkeypatch.setattr(audit, "pins", lambda _lock: [OLD])
    assert audit.main() == UNCHECKED


def test_two_versions_of_a_package_are_two_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[Pin]] = []
    monkeypatch.setattr(audit, "_read", lambda question, _answer, _report: asked.append(question))
    monkeypatch.setattr(audit, "_pip_audit", lambda _file: "")
    ask([OLD, Pin("a", "1"), Pin("a", "2")])
    assert asked == [[OLD, Pin("a", "1")], [Pin("a", "2")]]


def test_the_real_service_knows_an_old_flaw() -> None:
    report = ask([OLD])
    if report.unchecked:
        pytest.skip(f"the advisory service gives no answer here: {report.unchecked[OLD]}")
    assert any("CVE-2018-18074" in names for names in report.flaws[OLD])
