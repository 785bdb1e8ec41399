"""Where rabbitmqadmin finds the API: options, then RABBITMQADMIN_* variables, then a section of a configuration file.

When none of them says anything, it is the broker of the usual data folder, through its control socket; else port 15672
of this machine.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..http import PORT, TLS_PORT, Api, Place, find

FILE: Final = ".rabbitmqadmin.conf"
"""In the home folder."""

SECTION: Final = "default"
"""Of the file, unless -N names another."""

TIMEOUT: Final = 120
"""Seconds for an answer."""

VARIABLES: Final = {
    "RABBITMQADMIN_TARGET_HOST": "hostname",
    "RABBITMQADMIN_TARGET_PORT": "port",
    "RABBITMQADMIN_USERNAME": "username",
    "RABBITMQADMIN_PASSWORD": "password",
    "RABBITMQADMIN_BASE_URI": "base_uri",
    "RABBITMQADMIN_TARGET_VHOST": "vhost",
    "RABBITMQADMIN_USE_TLS": "ssl",
    "RABBITMQADMIN_CONFIG_FILE_PATH": "config",
    "RABBITMQADMIN_NODE_ALIAS": "node",
    "RABBITMQADMIN_TABLE_STYLE": "table_style",
    "RABBITMQADMIN_NON_INTERACTIVE_MODE": "non_interactive",
    "RABBITMQADMIN_QUIET_MODE": "quiet",
    "RABBITMQADMIN_TIMEOUT": "request_timeout",
}

_SPELT_OTHERWISE: Final = {
    "host": "hostname",
    "tls": "ssl",
    "use_tls": "ssl",
    "ca_certificate_bundle_path": "ssl_ca_cert_file",
    "tls_ca_cert_file": "ssl_ca_cert_file",
    "client_certificate_file_path": "ssl_cert_file",
    "tls_cert_file": "ssl_cert_file",
    "client_private_key_file_path": "ssl_key_file",
    "tls_key_file": "ssl_key_file",
    "insecure": "ssl_insecure",
    "virtual_host": "vhost",
}
"""Keys of v2's configuration files, and the names v1 has for them."""

_ADDRESS: Final = ("hostname", "port", "username", "password", "base_uri", "ssl", "path_prefix")


class Unusable(Exception):
    """The options cannot be: said as a mistake in the command line."""


def settings_of(options: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """All that is said about the connection, the strongest first. Raises Unusable."""
    found = {name: value for name, value in options.items() if value is not None}
    for variable, name in VARIABLES.items():
        if environment.get(variable):
            found.setdefault(name, environment[variable])
    for name, value in _of_file(found, environment).items():
        found.setdefault(name, value)
    return found


def _of_file(found: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    chosen = found.get("config")
    file = Path(chosen) if chosen else Path(environment.get("HOME", "/")) / FILE
    if not file.is_file():
        if chosen:
            raise Unusable(f"Could not read config file '{chosen}'")
        return {}
    section = str(found.get("node", SECTION))
    sections = _sections(file)
    if section not in sections:
        if section == SECTION:
            return {}
        raise Unusable(f"Could not read section '{section}' in config file '{file}':\n   No section: '{section}'")
    return {_SPELT_OTHERWISE.get(key, key): value for key, value in sections[section].items()}


def _sections(file: Path) -> dict[str, dict[str, Any]]:
    """v1's files are INI, v2's TOML."""
    import configparser  # noqa: PLC0415 - few have a file
    import tomllib  # noqa: PLC0415

    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"Could not read config file '{file}': {error}") from error
    try:
        return {name: dict(values) for name, values in tomllib.loads(text).items() if isinstance(values, dict)}
    except tomllib.TOMLDecodeError:
        parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise Unusable(f"Could not read config file '{file}': {error}") from error
    truths = {"true": True, "false": False}
    return {
        name: {key: truths.get(value.lower(), value) for key, value in parser.items(name)} for name in parser.sections()
    }


def api_of(settings: Mapping[str, Any]) -> Api:
    """The API that the settings come to. Raises Unusable."""
    timeout = _number(settings.get("request_timeout", TIMEOUT), "timeout")
    if not any(settings.get(name) for name in _ADDRESS):
        try:
            return Api(find(settings.get("url"), settings.get("data_dir"), os.environ), timeout)
        except ValueError as error:
            raise Unusable(str(error)) from error
    tls = _is_true(settings.get("ssl", False))
    host, port = str(settings.get("hostname", "localhost")), settings.get("port")
    user, password = str(settings.get("username", "guest")), str(settings.get("password", "guest"))
    if settings.get("base_uri"):
        try:
            parts = urlsplit(str(settings["base_uri"]))
            port = parts.port or port
        except ValueError as error:
            raise Unusable(f"{settings['base_uri']}: {error}") from error
        tls = tls or parts.scheme == "https"
        host = parts.hostname or host
        user = user if parts.username is None else unquote(parts.username)
        password = password if parts.password is None else unquote(parts.password)
    number = _number(port if port is not None else TLS_PORT if tls else PORT, "port")
    prefix = str(settings.get("path_prefix", "")).rstrip("/")
    return Api(Place("", host, int(number), user, password, prefix, _context(settings) if tls else None), timeout)


def _context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.get("ssl_ca_cert_file"))
        insecure = _is_true(settings.get("ssl_insecure", False))
        if insecure or _is_true(settings.get("ssl_disable_hostname_verification", False)):
            context.check_hostname = False
        if insecure:
            context.verify_mode = ssl.CERT_NONE
        if settings.get("ssl_cert_file"):
            context.load_cert_chain(settings["ssl_cert_file"], settings.get("ssl_key_file"))
    except OSError as error:
        raise Unusable(f"cannot use the certificates: {error}") from error
    return context


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() in ("true", "1", "yes"))


def _number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Unusable(f"'{value}' is no {what}") from None
