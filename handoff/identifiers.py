"""Unguessable ids and bearer tokens."""

from __future__ import annotations

import hashlib
import secrets

CUSTOMER_TOKEN_PREFIX = "ct_"  # noqa: S105 - a public prefix, not a secret
AGENT_TOKEN_PREFIX = "at_"  # noqa: S105 - a public prefix, not a secret


def new_id(prefix: str) -> str:
    """Return `prefix_` and 128 random bits, safe in addresses."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def new_token(prefix: str) -> str:
    """Return a bearer token of 256 random bits; only its hash is stored."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the SHA-256 under which a token is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
