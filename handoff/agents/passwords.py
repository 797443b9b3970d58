"""Passwords of people at work: how they are kept, and which are refused because everybody tries them first."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

SHORTEST = 8
FEWEST_LETTERS = 4
NO_PASSWORD = "!"  # noqa: S105 - a hash that no password has
_COMMON = """
    password passw0rd password1 password12 password123 12345678 123456789 1234567890 87654321 11111111 88888888
    66666666 00000000 12341234 11223344 123123123 147258369 qwertyui qwertyuiop qwerty123 asdfghjkl 1qaz2wsx
    1q2w3e4r 1q2w3e4r5t zaq12wsx abcd1234 abc12345 a1234567 a12345678 a123456789 aa123456 qq123456 admin123
    admin1234 administrator iloveyou sunshine football baseball letmein1 welcome1 welcome123 changeme changeme1
    changeit default1 trustno1 superman princess woaini1314 5201314520 woaini520 jieli123 jieli1234 customer
    service1 test1234 test12345 demo1234 demodemo guest123 root1234 secret123
"""
COMMON = frozenset(_COMMON.split())
hasher = PasswordHasher()  # argon2id, RFC 9106's second choice: 64 MiB, three passes
_workers = ThreadPoolExecutor(2, thread_name_prefix="passwords")  # a flood of logins must not take all threads


class WeakPassword(ValueError):
    """The password would be guessed; the text says so in both languages."""


def require_strong(name: str, password: str) -> None:
    """Raise WeakPassword for a password that is short, common, of few letters, or the name itself."""
    folded = password.casefold()
    if len(password) < SHORTEST:
        raise WeakPassword("密码至少 8 位 / The password needs at least 8 characters.")
    if folded in COMMON or len(set(folded)) < FEWEST_LETTERS or folded.strip("0123456789!@#.") == name.casefold():
        raise WeakPassword(
            "这个密码太容易被猜到，请换一个 / This password is among the first that are tried. Choose another."
        )


async def hashed(password: str) -> str:
    """Return what is stored of a password."""
    return await asyncio.get_running_loop().run_in_executor(_workers, hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Tell whether the password is the stored one; takes equally long when there is no account or no password."""
    return await asyncio.get_running_loop().run_in_executor(_workers, _verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    known = bool(stored) and stored != NO_PASSWORD
    try:
        return hasher.verify(stored if known and stored else _nobody(), password) and known
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Return a hash to check against for names that do not exist."""
    return hasher.hash("nobody has this password")
