"""A configuration as text: an amqpd.toml that says where each setting was made, and shows no passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from .addresses import Address, is_listener, under
from .layers import Loaded
from .settings import HIDDEN, SETTINGS, Config, is_secret, is_table


def effective(config: Config) -> dict[str, Any]:
    """Every setting's value, by key, without passwords."""
    shown: dict[str, Any] = {}
    for key, setting in SETTINGS.items():
        value = getattr(config, setting.name)
        if is_listener(key):
            value = [str(address) for address in value]
        elif is_table(key):
            value = dict(value)
        elif isinstance(value, tuple):
            value = [asdict(each) if is_dataclass(each) and not isinstance(each, type) else each for each in value]
        shown[key] = HIDDEN if is_secret(key) and value else value
    return shown


def rendered(loaded: Loaded) -> str:
    """The configuration as an amqpd.toml, each setting with the place it was made; set passwords are hidden."""
    lines = []
    for key, setting in SETTINGS.items():
        value = getattr(loaded.config, setting.name)
        if is_listener(key):
            lines += _listeners(loaded, key, value)
            continue
        if is_secret(key) and value != setting.default:
            value = HIDDEN
        shown = as_toml(dict(value) if is_table(key) else value)
        lines.append(f"{key} = {shown}  # {loaded.places.get(key, 'default')}")
    return "\n".join(lines) + "\n"


def _listeners(loaded: Loaded, default: str, addresses: tuple[Address, ...]) -> list[str]:
    """One line for each address, or for none; their names are not kept."""
    family = default.rpartition(".")[0]
    names = [default, *(f"{family}.other{number}" for number in range(1, len(addresses)))]
    places = {place: None for key, place in loaded.places.items() if under(key, (family,))} or {"default": None}
    shown = [str(address) for address in addresses] or ["none"]
    return [f"{name} = {as_toml(text)}  # {', '.join(places)}" for name, text in zip(names, shown, strict=True)]


def as_toml(value: Any) -> str:
    """A setting's value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if is_dataclass(value) and not isinstance(value, type):
        return as_toml({name: each for name, each in asdict(value).items() if each is not None})
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{as_toml(str(name))} = {as_toml(each)}' for name, each in value.items())}}}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    return '"' + "".join(_escaped(letter) for letter in str(value)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
