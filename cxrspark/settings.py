"""Settings of the jobs: command line over environment over YAML file over defaults."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from cxrspark.archive.access import Access


class JobSettings(BaseSettings):
    """What every job takes; a field is `--kebab-case`, a YAML key and `CXRSPARK_UPPER_CASE`."""

    model_config = SettingsConfigDict(
        env_prefix="CXRSPARK_",
        extra="forbid",
        frozen=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    stand_alone: ClassVar[tuple[str, ...]] = ()
    """Options that take a value, or none."""

    config: Path | None = Field(None, description="YAML file with settings; options win over it")
    debug: bool = Field(False, description="show the stack trace of an error")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what is passed in, which is the YAML file's content."""
        return env_settings, init_settings


class BucketSettings(JobSettings):
    """What a job takes that runs on Spark and reads buckets; the platform has the credentials."""

    remote: str | None = Field(
        None, description="Spark Connect server, sc://HOST:PORT; SPARK_REMOTE where not given"
    )

    requester_pays: bool = Field(False, description="S3: agree to pay for requests and traffic")
    billing_project: str | None = Field(
        None, description="Google: project that pays for requests to a requester-pays bucket"
    )
    endpoint: str | None = Field(
        None, description="URL of a storage service other than the cloud's own"
    )
    region: str | None = Field(
        None, description="of an S3 bucket; AWS_REGION or us-east-1 where not given"
    )
    anonymous: bool = Field(False, description="send no credentials, for public buckets")

    def access(self) -> Access:
        """The same for executors, which do without pydantic."""
        return Access(**{field.name: getattr(self, field.name) for field in fields(Access)})

    @field_validator("endpoint")
    @classmethod
    def _without_password(cls, endpoint: str | None) -> str | None:
        if endpoint and not re.fullmatch(r"https?://[^/@?]+[^@?]*", endpoint):
            raise ValueError("must be http:// or https:// and a host, without password or query")
        return endpoint


class ViewSettings(BucketSettings):
    """What a job takes that reads views from a table."""

    view_words: dict[str, Literal["frontal", "lateral", "other"]] = Field(
        {},
        description="words for views that your tables use beside the usual ones: COSTAL=other",
    )


def describe(error: Any) -> str:
    """One line on the first thing wrong with the settings, from pydantic's error."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    option = "--" + name.replace("_", "-")
    if first["type"] == "missing":
        missing = [e["loc"][0] for e in error.errors() if e["type"] == "missing"]
        return "needs " + " and ".join(f"--{name}".replace("_", "-") for name in missing)
    if first["type"] == "extra_forbidden":
        return f"unknown setting {name!r}; the file's keys are the options with _ for -"
    if first["type"] == "value_error":  # of a validator here; a value may hold a password
        said = first["msg"].removeprefix("Value error, ")
        return f"{option}: {said}" if name else said
    return f"{option} {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}"
