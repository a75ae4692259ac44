"""The commercetools stand-in's own control calls, beside those that every stand-in has."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from integrations.standins.commercetools.acts import ACTS, summary
from integrations.standins.commercetools.errors import Refusal
from integrations.standins.commercetools.failures import Failure
from integrations.standins.commercetools.filler import fill, fill_orders, rewrite
from integrations.standins.commercetools.lives import Lives
from integrations.standins.commercetools.subscriptions import set_status
from integrations.standins.commercetools.wires import Wire
from integrations.standins.control import WRONG, control_answer
from integrations.standins.wire import Request, Response, json_response

if TYPE_CHECKING:
    from integrations.standins.commercetools.standin import CommercetoolsStandIn

Body = Mapping[str, Any]
MOST_TICKS = 1_000


def answer(stand_in: "CommercetoolsStandIn", request: Request) -> Response:
    """Answer a call below ``/_control``; a wrong value is 400, an unknown call 404."""
    here = f"http://{request.headers.get('host', '')}/{stand_in.slug}"
    calls = {**CALLS, ("POST", "/push"): partial(_push, here=here)}
    try:
        return control_answer(stand_in, request, calls, wrong=(*WRONG, StopIteration))
    except Refusal as refusal:
        return json_response({"error": f"{refusal.code}: {refusal.message}", **refusal.body()}, 400)


def _act(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"do": name of an act, "project": key, "args": {…}}: the resource it made or changed, as the API shows it."""
    return summary(stand_in.act(body["do"], body.get("project", ""), **body.get("args", {})))


def _acts(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    return {name: (one.__doc__ or "").strip() for name, one in sorted(ACTS.items())}


def _clock(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"advance": seconds of the stand-in's own time}."""
    stand_in.advance(float(body.get("advance", 0)))
    return {"now": stand_in.clock.utc().isoformat()}


def _settings(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """Any of the Settings."""
    return asdict(stand_in.change_settings(dict(body)))


def _reset(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    stand_in.reset()
    return {"ok": True}


def _fill(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"customers": 100000, "orders": 1000, "days": 30, "seed": 1}: made in the past, telling nobody."""
    values = dict(body)
    project = stand_in.project(values.pop("project", ""))
    people, orders = int(values.pop("customers", 0)), int(values.pop("orders", 0))
    made = fill(project, people, **values) if people else []
    bought = fill_orders(project, orders, **values) if orders else []
    return {"customers": len(made), "orders": len(bought), "first": (made or bought or [""])[0], "last": (made or bought or [""])[-1]}


def _rewrite(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"type_id": "customer", "count": 50000}: so many resources change now, one after another."""
    values = dict(body)
    return {"changed": rewrite(stand_in.project(values.pop("project", "")), **values)}


def _live(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"ticks": 3}: so many plausible things happen now; {"history": {"lives": 80, "days": 30}} gives the project a past first.

    The first call for a project may say {"seed": 1, "prefix": "life", "products": 20}.
    """
    project = stand_in.project(body.get("project", ""))
    lives = stand_in.lives.get(project.spec.key)
    if lives is None:
        chosen = {name: body[name] for name in ("seed", "prefix", "products") if name in body}
        lives = stand_in.lives[project.spec.key] = Lives(project, **chosen)
    made = lives.history(**body["history"]) if "history" in body else {}
    ticks = min(MOST_TICKS, int(body.get("ticks", 0 if "history" in body else 1)))
    return {**made, "lines": [lives.tick() for _ in range(ticks)]}


def _state(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    return stand_in.state()


def _documents(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"type_id": "order"}: every resource of a type as it is, whatever queries see."""
    project = stand_in.project(body.get("project", ""))
    with project.lock:
        return [row.doc() for row in project[body["type_id"]].rows.values()]


def _push(stand_in: "CommercetoolsStandIn", body: Body, *, here: str = "") -> Any:
    """A cloud's push subscription: the fields of Wire; ``public_url`` is where the cloud's own keys are, this server's unsaid."""
    return stand_in.cloud.connect(Wire(**{"public_url": here, **body}))


def _pushes(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    return {"waiting": stand_in.cloud.postmen.waiting(), "notifications": stand_in.cloud.records()}


def _change_push(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"id" of a push subscription, or none for all, "flaw": …, "endpoint": …}."""
    values = dict(body)
    wanted = values.pop("id", None)
    for wire in stand_in.cloud.wires:
        if wanted in (None, wire.id):
            for name, value in values.items():
                setattr(wire, name, value)
    return {"ok": True}


def _flush(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """Let go what was held while paused, newest first with {"backwards": true}, and stop pausing."""
    stand_in.change_settings({"paused": False})
    return {"flushed": stand_in.cloud.flush(backwards=bool(body.get("backwards")))}


def _rotate_keys(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    return stand_in.cloud.rotate()


def _topic(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"topic": …, "reachable": false}: nothing can be published there."""
    known = stand_in.cloud.unreachable
    known.discard(body["topic"]) if body.get("reachable", True) else known.add(body["topic"])
    return {"unreachable": sorted(known)}


def _subscription(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"key": …, "status": "ManuallySuspended"}."""
    project = stand_in.project(body.get("project", ""))
    with project.lock:
        row = project.named("subscription", "key", body["key"])
        return set_status(project, row.id, body["status"]).doc()


def _expire_tokens(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    return {"expired": stand_in.tokens.expire(body.get("token"))}


def _fail(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    """{"code" or "status", "path", "method", "times", "retry_after", "after", "html", "seconds"}: see Failure."""
    stand_in.failures.add(Failure(**body))
    return {"ok": True}


def _call_off(stand_in: "CommercetoolsStandIn", body: Body) -> Any:
    stand_in.failures.clear()
    return {"ok": True}


CALLS: dict[tuple[str, str], Callable[["CommercetoolsStandIn", Body], Any]] = {
    ("POST", "/act"): _act,
    ("GET", "/acts"): _acts,
    ("POST", "/clock"): _clock,
    ("POST", "/settings"): _settings,
    ("POST", "/reset"): _reset,
    ("POST", "/fill"): _fill,
    ("POST", "/rewrite"): _rewrite,
    ("POST", "/live"): _live,
    ("GET", "/state"): _state,
    ("GET", "/documents"): _documents,
    ("POST", "/push"): _push,
    ("GET", "/push"): _pushes,
    ("PATCH", "/push"): _change_push,
    ("POST", "/flush"): _flush,
    ("POST", "/rotate_keys"): _rotate_keys,
    ("POST", "/topic"): _topic,
    ("POST", "/subscription"): _subscription,
    ("POST", "/expire_tokens"): _expire_tokens,
    ("POST", "/failures"): _fail,
    ("DELETE", "/failures"): _call_off,
}
