"""What the broker is told: settings, and where they come from.

`settings` is the table of them all, with defaults and what each may be, and fills it from the layers; `addresses` are
those to listen on, which have names of the user's choice.
"""

from .addresses import Address
from .settings import COMPAT_CHOICES, SETTINGS, Config, environment_name, load, misspelt

__all__ = ["COMPAT_CHOICES", "SETTINGS", "Address", "Config", "environment_name", "load", "misspelt"]
