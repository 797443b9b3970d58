"""Calls that may be sent again: the same key and body get the stored answer, and nothing is done twice."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.orm import Session

from examples.shop.errors import ShopError
from examples.shop.models import StoredAnswer

KEEP = timedelta(days=7)
_MAX_LENGTH = 200
_PROOFS = {"phone_last4", "customer_token"}


def idempotency_key(value: Annotated[str | None, Header(alias="Idempotency-Key")] = None) -> str:
    """The call's key; raises ShopError 400 when it is missing or unusable."""
    if value is None or not 1 <= len(value) <= _MAX_LENGTH or not value.isprintable():
        raise ShopError(400, "idempotency_key_missing")
    return value


def fingerprint(call: str, body: BaseModel) -> str:
    """What a call asks for. The proof is left out: a retry carries a fresh token but wants the same."""
    content = json.dumps([call, body.model_dump(mode="json", exclude=_PROOFS)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def run_once(
    session: Session, key: str, asked: str, now: datetime, status_code: int, work: Callable[[], BaseModel]
) -> tuple[int, dict[str, Any]]:
    """Do `work` and store its answer, or give the stored one; raises ShopError 409 for a key of another call.

    Refusals are not stored: once the state allows it, the same call may succeed.
    """
    stored = session.get(StoredAnswer, key)
    if stored is not None and stored.fingerprint != asked:
        raise ShopError(409, "idempotency_key_reused")
    if stored is not None:
        return stored.status_code, stored.body
    body = work().model_dump(mode="json")
    session.execute(delete(StoredAnswer).where(StoredAnswer.created_at < now - KEEP))
    session.add(StoredAnswer(key=key, fingerprint=asked, status_code=status_code, body=body, created_at=now))
    return status_code, body
