"""What the broker is told: settings, and where they come from.

`settings` is the table of them all, with defaults and what each may be, and fills it from the layers.
"""

from .settings import COMPAT_CHOICES, SETTINGS, Config, environment_name, given, load, misspelt

__all__ = ["COMPAT_CHOICES", "SETTINGS", "Config", "environment_name", "given", "load", "misspelt"]
