"""Definitions: all that operators and clients have made that lasts, as RabbitMQ's JSON, out of a broker and into one.

A file has users, vhosts, permissions, topic permissions, parameters, global parameters, policies, queues, exchanges and
bindings; that of a single vhost only what lies in it. What goes with a connection, and what every broker has from the
start, is in neither. Files of RabbitMQ 3 and 4 can be read here, and ours there.

    document  a file as it was written: its entries, each known by its place, so that a fault can be pinned to it
    plan      looks at every entry before anything is changed, and says what is to be done
    importing does it, little by little or at once
    export    the other way
    files     from where an operator's configuration says
    starting  what becomes of those when the broker starts

Importing merges: it adds, and replaces settings that have one value, but deletes nothing. A queue or an exchange that
is there stays as it is, whatever the file says of it.
"""

from __future__ import annotations

from .document import DefinitionsError, Document
from .export import About, export_all, export_vhost, sections_of_all, sections_of_vhost
from .importing import Outcome, import_all, import_vhost, importing

__all__ = [
    "About",
    "DefinitionsError",
    "Document",
    "Outcome",
    "export_all",
    "export_vhost",
    "import_all",
    "import_vhost",
    "importing",
    "sections_of_all",
    "sections_of_vhost",
]
