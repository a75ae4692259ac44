"""Every page: nothing serious for axe in light and dark, no sideways scrolling on a phone, nothing from another host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from integrations.engine import impact
from integrations.engine.exceptions import comment
from integrations.models import Checkpoint, Delivery, Flow
from mapping import codec
from mapping.defaults import load_defaults
from mapping.models import SkuComponent, SkuCrosswalk
from mapping.versions import draft_from
from tests.browser.chromium import DESK, PHONE, overflow
from tests.browser.conftest import Visitor, person
from tests.browser.pages import VISITOR_PAGES, staff_pages
from tests.factories import OrderFactory
from tests.monitoring.alert_rows import furnish_alerts
from tests.privacy_rows import furnish_privacy
from tests.reconciliation_rows import furnish_reconciliation
from tests.rows import make_attempt, make_delivery, make_event, make_exception, make_flow
from tests.segment_rows import NEVER_SO_LONG, make_read_back, make_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PARTS = 4  # so that several workers share the pages
GRAVE = {"serious", "critical"}
NEVER_GRAVE = {"region": {"enabled": False}}  # only moderate, and the dearest of all rules
SIDE_BAR = "#nav-sidebar-inner"  # the same on every page, so it is looked at on the first one of each part only
LONG = "A-SKU-THAT-SOMEBODY-MADE-OF-FAR-TOO-MANY-WORDS-AND-NUMBERS-0123456789-AND-THEN-SOME-MORE"
REQUEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
AXE = Axe()


def furnish() -> None:
    """A row of every kind, some with long texts."""
    flow, customers = make_flow("order"), make_flow("customer")
    for each in (flow, customers):
        load_defaults(each)
    record = _deliveries(flow, customers)
    _questions(flow, customers)
    Delivery.objects.filter(flow=flow).update(record=record)
    now = timezone.now()
    make_event(flow.source, "event-1", state="done")
    make_event(flow.source, "event-2", state="failed", error="the body is no JSON")
    pulls = {"connection": flow.source, "due_at": now, "read_count": 612, "started_at": now - timedelta(minutes=1)}
    since = now - timedelta(days=90)
    Checkpoint.objects.create(reader="orders", purpose="backfill", state="running", total=1500, window_from=since, window_to=now, **pulls)
    Checkpoint.objects.create(reader="orders", purpose="poll", window_from=now, error="the platform did not answer", **pulls)
    sku = SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku=LONG)
    SkuComponent.objects.create(crosswalk=sku, target_sku="TEE-RED", quantity=2)
    draft = draft_from(flow.pk, person("manager"))
    for run in (impact.start(draft, None), impact.start_resend(draft, None, None, scope="changed")):
        impact.pump_impact(run.pk)
    furnish_reconciliation(flow, customers)
    segment = make_segment(flow, title=NEVER_SO_LONG)
    make_read_back(segment, *Delivery.objects.filter(flow=flow)[:2])
    furnish_alerts()
    furnish_privacy()


def _deliveries(flow: Flow, customers: Flow) -> dict[str, Any]:
    record = orjson.loads(codec.dumps(OrderFactory(skus=(LONG, "TEE-BLUE"))))
    for state in ("delivered", "blocked", "ready", "skipped"):
        said = {"last_message": f"It was refused: {LONG}", "sent_payload": record}
        row = make_delivery(flow, f"{LONG}-{state}", state=state, record=record, **said)
        make_attempt(row, "refused", message="The destination says no. " * 8, code="too_long", request_id=REQUEST)
    make_delivery(customers, "7001", state="delivered")
    return record


def _questions(flow: Flow, customers: Flow) -> None:
    question = make_exception(flow, subject=LONG, waiting=2, detail=f"{LONG} is unknown")
    comment(question, person("ecommerce"), "Asked the catalogue team. " * 10)
    make_exception(flow, "unmapped_value", "status:half_shipped", waiting=1)
    make_exception(customers, "ambiguous_contact", "7001", waiting=1, detail="om-1: one\nom-2: two")
    make_exception(flow, subject="OLD", state="resolved", resolved_at=timezone.now(), note="It is TEE-RED now")


def grave(page: Page, options: dict[str, Any] | None = None, *, without: str = "") -> list[str]:
    """What axe finds serious or critical, one line each; `without` names a part of the page that is not looked at."""
    asked = {"resultTypes": ["violations"], "preload": False, **(options or {"rules": NEVER_GRAVE})}
    place = {"include": [["html"]], "exclude": [[without]] if without else []}
    found = page.evaluate("([place, options]) => axe.run(place, options)", [place, asked])["violations"]
    rules = [rule for rule in found if rule["impact"] in GRAVE]
    return [f"{rule['id']}: {node['target']} {node['html'][:160]}" for rule in rules for node in rule["nodes"][:3]]


def in_dark(page: Page, *, without: str = "") -> list[str]:
    """The same page in dark colours: only contrast can differ."""
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('dark')")
    found = grave(page, {"runOnly": ["color-contrast"]}, without=without)
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.emulate_media(color_scheme="light")
    return [f"dark {line}" for line in found]


def look_at(visitor: Visitor, path: str, *, without: str = "") -> list[str]:
    """Everything that is wrong with one page."""
    visitor.page.set_viewport_size(DESK)
    visitor.open(path)
    wide = overflow(visitor.page)
    visitor.page.evaluate(AXE.axe_script)
    found = grave(visitor.page, without=without) + in_dark(visitor.page, without=without)
    visitor.page.set_viewport_size(PHONE)
    narrow = overflow(visitor.page)
    return [f"{path} {line}" for line in (*found, *(f"desk {line}" for line in wide), *(f"phone {line}" for line in narrow))]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_accessible_and_fits_a_phone(part: int, visit: Callable[..., Visitor]) -> None:
    furnish()
    visitor = visit("administrator")
    pages = sorted(staff_pages().values())

    first, *others = pages[part::PARTS]
    found = look_at(visitor, first) + [line for path in others for line in look_at(visitor, path, without=SIDE_BAR)]
    assert found == [], "\n".join(found)
    assert len(pages) > 45


def test_the_sign_in_page_is_accessible_and_fits_a_phone(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    assert [line for path in VISITOR_PAGES.values() for line in look_at(visitor, path)] == []


def test_an_empty_console_is_accessible_and_says_what_to_do(visit: Callable[..., Visitor]) -> None:
    visitor = visit("administrator")
    pages = ["/admin/", "/admin/integrations/connection/", "/admin/integrations/delivery/", "/admin/integrations/syncexception/"]

    assert [line for path in pages for line in look_at(visitor, path)] == []
    visitor.open("/admin/")
    visitor.reads("Nothing is connected")
