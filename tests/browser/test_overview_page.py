"""The overview in a browser: what is unfolded stays unfolded while it refreshes itself, charts are drawn, and paper gets what it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.models import Metric, Sample
from monitoring.sampling import sample
from tests.browser.conftest import Visitor
from tests.monitoring.moments import tried
from tests.rows import make_delivery, make_flow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DRAWN = """() => [...document.querySelectorAll('canvas[data-chart]')].map((canvas) => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value, place) => place % 4 === 3 && value > 0);
})"""


def an_hour() -> None:
    """A flow that delivered something within the last hour, twice sampled."""
    flow, now = make_flow(), timezone.now()
    sample(now - timedelta(minutes=40))
    tried(flow, ["delivered"] * 5, now - timedelta(minutes=20))
    sample(now)
    Sample.objects.create(flow=flow, metric=Metric.LAG, value=300, at=now - timedelta(minutes=18))


def test_flows_that_are_unfolded_stay_so_while_new_numbers_come(visit: Callable[..., Visitor]) -> None:
    an_hour()
    flow = make_flow("customer")
    manager = visit("manager")
    manager.open("/admin/")
    manager.page.locator("details summary", has_text="2 flows").click()

    make_delivery(flow, "new")
    manager.reads("1 ready to go", within=".ov-route")

    assert manager.page.locator("details.ov-flows[open] tbody tr").count() == 2
    assert manager.page.locator("#overview-lost").is_hidden()


def test_a_route_is_two_clicks_from_its_rows_and_its_charts_are_drawn_in_both_colours(visit: Callable[..., Visitor]) -> None:
    an_hour()
    manager = visit("manager", scheme="dark")
    manager.open("/admin/")
    manager.click("Shopify → Ometria", within=".ov-route")
    manager.reads("5 deliveries in the last 24 hours")

    assert manager.page.evaluate(DRAWN) == [True, True]
    manager.page.evaluate("document.documentElement.classList.toggle('dark')")
    assert manager.page.evaluate(DRAWN) == [True, True]

    manager.page.locator("#volume-shopify-to-ometria").click()
    manager.reads("5 in this span")
    assert manager.page.locator(".sy-rows tbody tr").count() == 5


@pytest.mark.parametrize("address", ["/admin/", "/admin/route/shopify-to-ometria/"])
def test_paper_gets_a_heading_with_the_date_and_neither_navigation_nor_buttons(visit: Callable[..., Visitor], address: str) -> None:
    an_hour()
    manager = visit("manager", scheme="dark")
    manager.open(address)
    manager.page.emulate_media(media="print", color_scheme="dark")

    seen = {name: manager.page.locator(name).first.is_visible() for name in (".sy-printed", ".ov-figures", "#nav-sidebar", "#header-inner")}
    assert seen == {".sy-printed": True, ".ov-figures": True, "#nav-sidebar": False, "#header-inner": False}
    assert f"{timezone.localtime():%Y}" in manager.page.locator(".sy-printed").inner_text()
    assert manager.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert manager.page.locator(".sy-button:visible, .ov-button:visible").count() == 0
