"""What came of one try to send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Taken or not, and why in one sentence. `wait` are seconds the receiver asks for; `gone`: it wants nothing more, ever."""

    ok: bool
    note: str
    status: int | None = None
    ms: int = 0
    wait: float | None = None
    gone: bool = False
