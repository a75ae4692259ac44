"""The REST Admin API's leaky bucket, read from its own header."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.platforms.base import Pacer

HEADER = "X-Shopify-Shop-Api-Call-Limit"  # "32/40": used and size
SLOW_FROM = 0.8
DRAIN_SECONDS = 20.0  # a bucket drains in 20 s on every plan: 40 at 2/s, 80 at 4/s, 400 at 20/s


def bucket(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """Used and size of the bucket, None when the header is absent or unreadable."""
    used, _, size = headers.get(HEADER, "").partition("/")
    if not (used.isdecimal() and size.isdecimal()) or int(size) == 0:
        return None
    return int(used), int(size)


def pause_for(used: int, size: int) -> float:
    """Seconds to wait until the bucket is back at 80 % of its size."""
    return max(0.0, (used - SLOW_FROM * size) / (size / DRAIN_SECONDS))


def report_bucket(pacer: Pacer, group: str, headers: Mapping[str, str]) -> None:
    """Tell the pacer what the header says, and hold the group while the bucket is more than 80 % full."""
    state = bucket(headers)
    if state is None:
        return
    used, size = state
    pacer.report(group, rate=size / DRAIN_SECONDS, burst=float(size), available=float(size - used))
    if seconds := pause_for(used, size):
        pacer.pause(group, seconds)
