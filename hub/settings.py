"""Settings: config/default.toml, then the file HUB_CONFIG names, then HUB_* in the environment.

``config/default.toml`` is the one place where defaults stand; a setting that it does not hold is refused.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hub.errors import InvalidInput

CONFIG_FOLDER = Path(__file__).resolve().parent.parent / "config"
# Variables that name a whole file or setting rather than HUB_SECTION__NAME.
PLAIN_VARIABLES = frozenset({"HUB_CONFIG", "HUB_DATABASE_URL", "HUB_DATA_DIR", "HUB_BASE_URL"})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Section):
    """The hub as a STIX identity."""

    name: str = Field(min_length=1)
    contact: str


class Server(_Section):
    """The web processes."""

    bind: str = Field(pattern=r"^.+:\d{1,5}$")
    workers: int = Field(ge=1, le=64)
    threads: int = Field(ge=1, le=64)
    max_body_bytes: int = Field(ge=1024)
    metrics_everywhere: bool
    trusted_proxies: tuple[IPvAnyNetwork, ...]
    client_certificate_header: str = Field(pattern=r"^[A-Za-z0-9-]*$")


class DatabasePool(_Section):
    """Connections."""

    pool_size: int = Field(ge=1, le=100)


class Taxii(_Section):
    """The TAXII edge."""

    title: str = Field(min_length=1)
    description: str
    default_page: int = Field(ge=1)
    max_page: int = Field(ge=1)
    max_post_objects: int = Field(ge=1)
    page_cache_bytes: int = Field(ge=0)


class Intake(_Section):
    """What comes in."""

    reserved: Literal["hold", "publish"]
    workers: int = Field(ge=1, le=16)
    batch: int = Field(ge=1, le=10000)
    max_file_bytes: int = Field(ge=1024)
    lease_seconds: float = Field(gt=0)
    poll_seconds: float = Field(gt=0)
    default_grade: str = Field(pattern=r"^[123][ABCDE]$")
    warninglists: str
    warninglists_off: list[str]


class Pull(_Section):
    """Pulling feeds."""

    enabled: bool
    look_every_seconds: float = Field(gt=0)
    answer_bytes: int = Field(ge=1024)
    answer_seconds: float = Field(gt=0)
    answers: int = Field(ge=1)


class Reports(_Section):
    """The reports API."""

    max_batch: int = Field(ge=1)


class Checks(_Section):
    """The checking service."""

    max_batch: int = Field(ge=1, le=4000)
    max_file_rows: int = Field(ge=1)
    per_hour: int = Field(ge=0)
    per_day: int = Field(ge=0)
    sample_share: float = Field(ge=0, le=1)
    justify_days: int = Field(ge=1)
    keep_answers_days: int = Field(ge=0)
    keep_files_days: int = Field(ge=1)
    hit_share: float = Field(gt=0, le=1)
    hit_least: int = Field(ge=1)
    neighbours: int = Field(ge=2)
    duty_officer: str


class Vetting(_Section):
    """Periods and bounds of vetting."""

    evidence_bytes: int = Field(ge=1024)
    link_days: int = Field(ge=1)
    reply_days: int = Field(ge=1)
    sponsor_days: int = Field(ge=0)
    appeal_days: int = Field(ge=1)
    review_days: int = Field(ge=1)
    review_reply_days: int = Field(ge=1)
    keep_rejected_days: int = Field(ge=1)
    keep_closed_days: int = Field(ge=1)
    break_glass_hours: int = Field(ge=1, le=72)
    data_protection_officer: str
    legal_counsel: list[str]
    unmasked_hours: int = Field(ge=1, le=720)


class Console(_Section):
    """The web console."""

    idle_minutes: int = Field(ge=1)
    session_hours: int = Field(ge=1)
    invitation_days: int = Field(ge=1)
    reset_minutes: int = Field(ge=1)
    dormant_days: int = Field(ge=1)
    notice_days: int = Field(ge=1)
    key_overlap_days: int = Field(ge=0)


class Precheck(_Section):
    """The private pre-check."""

    evaluations_per_day: int = Field(ge=0)
    max_batch: int = Field(ge=1, le=5000)
    build_every_seconds: float = Field(gt=0)
    superseded_seconds: int = Field(ge=0)
    overlap_days: int = Field(ge=0)


class Retention(_Section):
    """How long what the hub keeps is kept."""

    ended_filings_days: int = Field(ge=0)
    searches_days: int = Field(ge=366)
    submissions_days: int = Field(ge=0)
    subject_access_days: int = Field(ge=1)


class Mail(_Section):
    """Messages to people."""

    sender: str = Field(min_length=3)
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"]
    smtp_username: str = Field(pattern=r"^[ -~]*$")
    smtp_password: SecretStr

    @field_validator("smtp_password")
    @classmethod
    def _ascii(cls, value: SecretStr) -> SecretStr:
        """What Python's SMTP client can send."""
        if not value.get_secret_value().isascii():
            raise ValueError("the password has other characters than ASCII")
        return value


class Limits(_Section):
    """Requests a member may make."""

    enabled: bool
    requests_per_minute: int = Field(ge=1)
    storage: str = Field(pattern=r"^(|rediss?://.+|unix://.+)$")


class Log(_Section):
    """Logging."""

    level: Literal["debug", "info", "warning", "error"]
    format: Literal["text", "json"]


class Settings(BaseSettings):
    """All settings of one process, frozen."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data_dir: Path
    database_url: str
    base_url: str = Field(pattern=r"^https?://[^/?#]+$")
    identity: Identity
    server: Server
    database: DatabasePool
    taxii: Taxii
    intake: Intake
    pull: Pull
    reports: Reports
    checks: Checks
    vetting: Vetting
    console: Console
    precheck: Precheck
    retention: Retention
    mail: Mail
    limits: Limits
    log: Log

    @field_validator("base_url", mode="before")
    @classmethod
    def _no_trailing_slash(cls, value: Any) -> Any:
        return value.rstrip("/") if isinstance(value, str) else value

    @property
    def database_location(self) -> str:
        """The database URL, with the SQLite default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'hub.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Earlier sources win: arguments, environment, HUB_CONFIG, default.toml."""
        files = [Path(named)] if (named := os.environ.get("HUB_CONFIG")) else []
        files.append(CONFIG_FOLDER / "default.toml")
        return (
            init_settings,
            env_settings,
            *(TomlConfigSettingsSource(settings_cls, file) for file in files),
        )


def load(**overrides: Any) -> Settings:
    """Read the settings of this process.

    Raises InvalidInput with one line that names the first wrong or unknown setting.
    """
    named = os.environ.get("HUB_CONFIG")
    if named and not Path(named).is_file():
        raise InvalidInput(f"the file {named!r} does not exist", where="HUB_CONFIG")
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise InvalidInput("this setting is not known; config/default.toml lists them all", where=where) from None
        given = "" if where.endswith("password") else f" (given: {first['input']!r})"
        raise InvalidInput(f"{first['msg']}{given}", where=where) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"not valid TOML: {error}", where="HUB_CONFIG") from None


def _refuse_unknown_variables() -> None:
    known = Settings.model_fields
    for variable in os.environ:
        if not variable.startswith("HUB_") or variable in PLAIN_VARIABLES:
            continue
        section = variable.removeprefix("HUB_").split("__")[0].lower()
        if "__" not in variable or section not in known:
            raise InvalidInput("this variable is not known; config/default.toml lists all settings", where=variable)
