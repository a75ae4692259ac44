"""django-q2: tasks are pumps, never records, so its queue stays nearly empty; the work itself waits in our own tables."""

from __future__ import annotations

import environ

env = environ.Env()

Q_CLUSTER = {
    "name": "switchyard",
    "workers": env.int("WORKERS", default=4),
    "timeout": 120,  # a pump ends by itself after 50 s
    "retry": 180,  # counted from hand-out, so it must be longer than the time-out
    "max_attempts": 1,  # the next wake or the minute sweep tries again; a failed pump must not be repeated blindly
    "ack_failures": True,  # else a failed task is handed out for ever
    "catch_up": False,  # after a night off, one run of each schedule is enough
    "save_limit": 100,
    "queue_limit": 8,  # tasks taken ahead by one cluster; few, so that several clusters share
    "poll": 0.1,  # seconds between looks at an empty queue: the first part of idle latency
    "recycle": 500,
    "guard_cycle": 0.5,
    "label": "Worker",
}
if redis_url := env.str("REDIS_URL", default=""):
    Q_CLUSTER["redis"] = redis_url
else:
    Q_CLUSTER["orm"] = "default"
