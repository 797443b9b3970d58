"""Settings of the desk, read once from the environment (see `.env.example`); defaults suit one machine."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Every environment variable that the desk reads. Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="", env_ignore_empty=True, extra="ignore", case_sensitive=False)

    host: str = "127.0.0.1"
    port: int = 8000
    jieli_var: Path = Path("var")
    database_url: str = ""
    redis_url: str = ""
    secret_key: str = Field(default_factory=lambda: secrets.token_urlsafe(32))
    demo: bool = False
    metrics_token: str = ""

    bot_urls: Annotated[list[str], NoDecode] = ["http://127.0.0.1:5005"]
    bot_token: str = ""
    bot_timeout: float = 8.0
    turn_pause: float = 0.25
    turn_typing_pause: float = 1.5
    turn_typing_limit: float = 6.0

    shop_api_url: str = ""
    shop_api_token: str = ""
    identity_secret: str = ""

    llm_url: str = ""
    llm_model: str = ""
    llm_api_key: str = ""
    llm_timeout: float = 4.0

    integration_token: str = ""
    integration_callback: str = ""
    integration_callback_private: bool = False
    rasa_socketio: bool = False
    rasa_socketio_first_payload: str = "/greet"

    routing: Literal["manual", "auto"] = "manual"
    limit_messages: int | Literal["off"] = 60
    limit_conversations: int | Literal["off"] = 120
    widget_origins: Annotated[list[str], NoDecode] = []

    customer_token_days: int = 30
    agent_session_hours: int = 12
    agent_gone_after: float = 180.0
    idle_close_after: float = 24 * 3600.0
    attachment_limit: int = 10 * 1024 * 1024
    attachment_link_seconds: int = 3600
    default_group: str = "care"

    retention_days: Annotated[int, Field(ge=1)] | Literal["off"] = 730
    retention_attachment_days: Annotated[int, Field(ge=1)] | Literal["off"] = 365
    retention_audit_days: Annotated[int, Field(ge=1)] | Literal["off"] = 1095
    retention_log_days: Annotated[int, Field(ge=1)] | Literal["off"] = 30

    @field_validator("bot_urls", "widget_origins", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        """Accept `a,b` as people write lists in the environment."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """The SQLAlchemy address: SQLite in the `var` folder unless `DATABASE_URL` names PostgreSQL."""
        url = self.database_url or f"sqlite:///{self.jieli_var / 'desk.db'}"
        for plain, driver in (
            ("sqlite://", "sqlite+aiosqlite://"),
            ("postgresql://", "postgresql+psycopg://"),
            ("postgres://", "postgresql+psycopg://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @property
    def attachments_folder(self) -> Path:
        """Where uploaded files lie."""
        return self.jieli_var / "attachments"


settings = Settings()
