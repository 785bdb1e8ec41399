"""The broker as a process among others: what it tells whoever started it, and with whom it ends.

Scripts, test suites, containers and systemd start a broker and have to know when it accepts connections, where, and how
to be rid of it. Each of those is an `Attendant`, told four moments of the broker's life:

    prepare   before anything is opened: refuse, or take what must be ours
    started   connections are accepted; here is where
    stopping  clients are about to be told
    stopped   it is over, whether it ever started or not

`announcement` says where it listens; `files` leaves that, and the process id, in files; `parent` ends the broker with
the process that started it; `systemd` speaks to a service manager; `child` runs a broker in a process of its own.
Nothing here knows what a message is.
"""

from .announcement import Announcement, amqp_url
from .attendant import Attendant, Running

__all__ = ["Announcement", "Attendant", "Running", "amqp_url"]
