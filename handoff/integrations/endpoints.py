"""Rasa's REST channel: an existing integration keeps its code and gains people behind the bot."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["integrations"])
