"""A running commercetools stand-in and a caller that knows nothing of its insides."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.server import StandInServer

CLIENT = ("demo-client", "demo-commercetools-secret")


class Caller:
    """Calls of one API client, and of the control endpoint."""

    def __init__(self, root: str, session: requests.Session) -> None:
        self.root, self.session, self._token = root, session, ""

    def token(self, scope: str = "", client: tuple[str, str] = CLIENT) -> requests.Response:
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        return self.session.post(f"{self.root}/auth/oauth/token", auth=client, data=form)

    def use(self, scope: str = "", client: tuple[str, str] = CLIENT) -> None:
        """Go on with a token of these scopes."""
        self._token = self.token(scope, client).json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any) -> requests.Response:
        if not self._token:
            self.use()
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        return self.session.request(method, f"{self.root}/api/acme-demo{path}", json=body, params=query, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def query(self, path: str, where: Any = (), **query: Any) -> list[Any]:
        """The results of a query, ``var_x`` becoming ``var.x``."""
        named = {name.replace("var_", "var."): value for name, value in query.items()}
        return self.get(path, where=where, **named)["results"]

    def post(self, path: str, body: Any, **query: Any) -> Any:
        answer = self.call("POST", path, body, **query)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def refusal(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and code of what must go wrong."""
        answer = self.call(method, path, body, **query)
        shown = answer.json()
        assert shown["statusCode"] == answer.status_code
        assert shown["message"] == shown["errors"][0]["message"]
        return answer.status_code, shown["errors"][0]["code"]

    def update(self, path: str, resource: Any, *actions: Any) -> Any:
        return self.post(f"{path}/{resource['id']}", {"version": resource["version"], "actions": list(actions)})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.root}/_control{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def act(self, do: str, **args: Any) -> Any:
        return self.control("POST", "/act", {"do": do, "args": args})

    def messages(self, resource: str) -> list[str]:
        """Types of a resource's messages in their order."""
        found = self.query("/messages", f'resource(id="{resource}")', limit=500, sort="sequenceNumber asc")
        return [message["type"] for message in found]


@pytest.fixture
def stand_in() -> Iterator[CommercetoolsStandIn]:
    made = CommercetoolsStandIn()
    yield made
    made.close()


@pytest.fixture
def caller(stand_in: CommercetoolsStandIn) -> Iterator[Caller]:
    with StandInServer([stand_in]) as server, requests.Session() as session:
        session.trust_env = False
        yield Caller(server.url("commercetools"), session)


@pytest.fixture
def tee(stand_in: CommercetoolsStandIn) -> str:
    """A published tee at 20 pounds or 24 euros; its key is "tee"."""
    attributes = {"color": {"key": "black", "label": {"en-GB": "Black"}}, "brand": "Acme"}
    stand_in.act(
        "create_product",
        name="Tee",
        variants=[{"sku": "TEE", "price": 20, "attributes": attributes}, {"sku": "TEE-L", "price": 22}],
        categories=["shirts"],
    )
    return "TEE"
