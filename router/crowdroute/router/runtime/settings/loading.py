"""Reading settings, and saying in plain words what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.settings.whole import Settings


def load_settings(file: Path | None = None, **given: object) -> Settings:
    """Read the settings.

    Args:
        file: a TOML file; None for none.
        given: what was said on the command line; None values are left out.

    Raises:
        ConfigurationError: the file cannot be read or a setting cannot be right; the message names each.
    """
    if file is not None and not file.is_file():
        raise ConfigurationError(f"there is no settings file {file}")

    class FromFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": file})

    try:
        return FromFile(**_said(given))
    except ValidationError as error:
        raise _wrong(error) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is no TOML file: it is not UTF-8 text") from error
    except ValueError as error:
        raise ConfigurationError(f"{file} is no TOML file: {error}") from error


def settings_told(told: bytes) -> Settings:
    """Read settings that another process has read, and told as JSON; what files they name is looked at here.

    Raises:
        ConfigurationError: a setting cannot be right here; the message names each.
    """
    try:
        return Settings.model_validate_json(told)
    except ValidationError as error:
        raise _wrong(error) from error


def _wrong(error: ValidationError) -> ConfigurationError:
    """Say what is wrong with settings, in one line."""
    wrong = "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {_plain(problem['type'], problem['msg'])}"
        for problem in error.errors()
    )
    return ConfigurationError(f"settings: {wrong}")


def _plain(kind: str, message: str) -> str:
    """Say in plain words what pydantic says of a value."""
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "it is required here"
    return message.removeprefix("Value error, ").replace("Input should be", "it should be")


def _said(given: dict[str, object]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
