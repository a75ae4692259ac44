"""What can go wrong with a platform, named for what the caller must do."""

from __future__ import annotations


class PlatformError(Exception):
    """A call to a platform failed; carries what its support would ask for."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.request_id = status, code, request_id


class TryLater(PlatformError):
    """A passing fault (time-out, 5xx, busy object): the same call may succeed later."""


class SlowDown(TryLater):
    """The platform asks for a pause of `seconds`; it counts as no attempt. `group` is the rate group it holds for.

    `stated` is False when the platform named no time and `seconds` is our own guess.
    """

    def __init__(
        self,
        message: str,
        *,
        seconds: float,
        group: str = "",
        stated: bool = True,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, request_id=request_id)
        self.seconds, self.group, self.stated = seconds, group, stated


class Refused(PlatformError):
    """The platform will never take this call as it is; a person must change something."""


class Reconnect(PlatformError):
    """The credentials are dead or lack a permission: pause the connection and keep its deliveries."""


class Unparsable(Exception):
    """An incoming object does not have the shape its platform documents; the message says where."""


class Unverified(Exception):
    """An incoming call whose signature is missing or wrong; nothing of it may be stored."""


class TooMany(Exception):
    """A caller sends more than its share; nothing of this call is stored."""


class Misconfigured(Reconnect):
    """A connection's settings cannot work, so it waits for a person; the message is one sentence with the remedy."""
