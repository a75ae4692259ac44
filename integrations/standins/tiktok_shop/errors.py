"""Refusals of the platform: a code in the body, and an HTTP status that says little."""

from itertools import count

TOO_MANY = 36009002
TRANSIENT = 36009003
BAD_REQUEST = 36009004
UNKNOWN_PATH = 36009009
WRONG_METHOD = 36009010
UNKNOWN_VERSION = 36009014
WRONG_CONTENT_TYPE = 36009022
WRONG_BODY = 36009023
IP_REFUSED = 36009033
AUTH_CODE = 36004004
TOKEN_EXPIRED = 105002
SCOPE_MISSING = 105005
NOT_TOGETHER = 101000
SIGN_INVALID = 106001
CIPHER_MISSING = 106013
PARAMETER = 98001004
PRODUCT_MISSING = 12052048
TOO_MANY_SELLER_SKUS = 12019027
TOO_MANY_SKU_IDS = 12019087

# the same code arrives with different statuses, in turn: callers must read the code
STATUSES: dict[int, tuple[int, ...]] = {
    TOO_MANY: (429,),
    BAD_REQUEST: (200, 400),
    UNKNOWN_PATH: (404, 200),
    WRONG_METHOD: (405, 200),
    TOKEN_EXPIRED: (200, 401),
    SCOPE_MISSING: (200, 403),
    NOT_TOGETHER: (200, 401),
    SIGN_INVALID: (200, 401),
    IP_REFUSED: (403, 200),
    PARAMETER: (200, 400),
}


class Refusal(Exception):  # noqa: N818 - what the platform says, not a failure of this program
    """The platform will not do this; ``status`` forces an HTTP status, ``headers`` are added."""

    def __init__(self, code: int, message: str, *, status: int | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.headers = code, message, status, headers or {}


class Statuses:
    """Hands out the HTTP status for each refusal, varying where the platform varies."""

    def __init__(self) -> None:
        self._turn = count()

    def of(self, refusal: Refusal) -> int:
        """The status to answer with."""
        if refusal.status is not None:
            return refusal.status
        choice = STATUSES.get(refusal.code, (200,))
        return choice[next(self._turn) % len(choice)]
