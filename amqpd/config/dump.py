"""A configuration as text: an amqpd.toml that says where each setting was made, and shows no passwords."""

from __future__ import annotations

from typing import Any, Final

from .layers import Loaded
from .settings import SETTINGS, Config

HIDDEN: Final = "********"
"""Instead of a password."""


def effective(config: Config) -> dict[str, Any]:
    """Every setting's value, by key, without passwords."""
    values = {key: getattr(config, setting.name) for key, setting in SETTINGS.items()}
    return {key: HIDDEN if is_secret(key) and value else value for key, value in values.items()}


def rendered(loaded: Loaded) -> str:
    """The configuration as an amqpd.toml, without passwords, each setting with the place it was made."""
    lines = []
    for key, setting in SETTINGS.items():
        value = getattr(loaded.config, setting.name)
        shown = f'"{HIDDEN}"' if is_secret(key) and value else as_toml(value)
        lines.append(f"{key} = {shown}  # {loaded.places.get(key, 'default')}")
    return "\n".join(lines) + "\n"


def is_secret(key: str) -> bool:
    """Whether a setting is nobody else's business."""
    last = key.rpartition(".")[2]
    return last.endswith(("pass", "password", "secret")) or last in ("default_users", "definitions_json")


def as_toml(value: Any) -> str:
    """A setting's value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    return '"' + "".join(_escaped(letter) for letter in str(value)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
