"""What the broker is told: settings, and the layers they come from, each stronger than the one before.

    defaults               settings.py: one table of all settings
    rabbitmq.conf, conf.d  rabbitmq_conf.py reads the format, rabbitmq_keys.py says what the keys mean here
    rabbitmq.config        erlang_terms.py reads the format, classic_config.py says it as a rabbitmq.conf would
    enabled_plugins        plugins.py
    amqpd.toml             files.py, which also finds all of these
    RABBITMQ_*, AMQPD_*    environment.py
    command line           cli/

`layers` puts them together; `addresses` are those to listen on, which have names of the user's choice. What a key did,
or why it did nothing, is a `Finding`.
"""

from .addresses import Address
from .environment import environment_name, misspelt
from .files import default_file
from .findings import Finding, Verdict
from .layers import Loaded, check, load, read
from .settings import COMPAT_CHOICES, SETTINGS, Config, DefaultLimits, DefaultPolicy, DefaultUser

__all__ = [
    "COMPAT_CHOICES",
    "SETTINGS",
    "Address",
    "Config",
    "DefaultLimits",
    "DefaultPolicy",
    "DefaultUser",
    "Finding",
    "Loaded",
    "Verdict",
    "check",
    "default_file",
    "environment_name",
    "load",
    "misspelt",
    "read",
]
