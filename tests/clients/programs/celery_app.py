"""A Celery application: what `celery -A` loads in a worker, and what the tests send tasks with.

Its settings are Celery's own, as JSON in CELERY_SETTINGS; the one that is not, "broadcast", names a queue each worker
has a copy of. Tasks are about what the broker does with them; files in a folder tell tests how far they are.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task, shared_task
from celery.exceptions import Reject
from kombu import Queue
from kombu.common import Broadcast

PATIENCE = 20.0


@shared_task(name="add")
def add(x: int, y: int) -> int:
    return x + y


@shared_task(name="total")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="fail")
def fail(why: str) -> None:
    raise ValueError(why)


@shared_task(name="flaky", bind=True, max_retries=5)
def flaky(self: Task, succeeds_after: int, countdown: float) -> int:
    """Fails so many times, and tells how often it was tried again."""
    if self.request.retries < succeeds_after:
        raise self.retry(countdown=countdown)
    return int(self.request.retries)


@shared_task(name="where", bind=True)
def where(self: Task) -> dict[str, Any]:
    """By which worker this message was taken, how it came there, and when."""
    return {"worker": self.request.hostname, "at": time.time(), **self.request.delivery_info}


@shared_task(name="tell", bind=True)
def tell(self: Task, folder: str) -> None:
    (Path(folder) / self.request.hostname).touch()


@shared_task(name="hold", bind=True, acks_late=True)
def hold(self: Task, folder: str) -> dict[str, Any]:
    """Tells that it has begun, and does not end before there is a file `go`."""
    (Path(folder) / f"begun.{self.request.hostname}").touch()
    end = time.monotonic() + PATIENCE
    while not (Path(folder) / "go").exists():
        assert time.monotonic() < end, "nobody said go"
        time.sleep(0.005)
    return {"worker": self.request.hostname, **self.request.delivery_info}


@shared_task(name="turn_away", bind=True, acks_late=True)
def turn_away(self: Task, requeue: bool) -> str:
    """Rejects what was not delivered before, or everything when it is not to be requeued."""
    if not requeue or not self.request.delivery_info["redelivered"]:
        raise Reject("not now", requeue=requeue)
    return "redelivered"


def application(settings: dict[str, Any]) -> Celery:
    """An application with settings that may have come as JSON."""
    settings = dict(settings)
    queues = [Queue.from_dict(queue, **options) for queue, options in settings.pop("task_queues", {}).items()]
    if everyone := settings.pop("broadcast", None):
        queues.append(Broadcast(everyone))
    app = Celery("program")
    app.conf.update(settings, task_queues=queues or None)
    return app


app = application(json.loads(os.environ.get("CELERY_SETTINGS", "{}")))
