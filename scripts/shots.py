"""`make shots`: screenshots of every page, light and dark, on a desk and on a phone, from a short demo on a database of its own.

They land in `screenshots/`. `--again` takes what the last run left, `--only overview flow-order` some pages, `--pictures` those of `docs`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing here is asynchronous

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.template.loader import render_to_string  # noqa: E402
from django.utils import timezone  # noqa: E402
from playwright.sync_api import BrowserContext, Page  # noqa: E402

from integrations.engine import impact  # noqa: E402
from integrations.engine.accounts import probe_connection, set_credential  # noqa: E402
from integrations.engine.exceptions import comment  # noqa: E402
from integrations.engine.pull import pause, start_backfill  # noqa: E402
from integrations.management.demo import cast, database, story  # noqa: E402
from integrations.management.demo.crew import Crew, free_port  # noqa: E402
from integrations.management.demo.motion import Motion  # noqa: E402
from integrations.management.demo.news import News  # noqa: E402
from integrations.management.demo.stage import Stage  # noqa: E402
from integrations.models import Checkpoint, Connection, SyncException  # noqa: E402
from mapping.transforms import Call  # noqa: E402
from mapping.versions import draft_from, save_rules  # noqa: E402
from monitoring.sampling import last_pass  # noqa: E402
from scripts.life_before import life_before  # noqa: E402
from tests.browser.chromium import DESK, PHONE, SCHEMES, open_browser, open_context, overflow  # noqa: E402
from tests.browser.pages import VISITOR_PAGES, staff_pages  # noqa: E402

DATABASE = "switchyard_shots"
CHAPTERS = (
    "Connecting", "History: a backfill by bulk operations", "Live traffic", "Edits, cancellations, refunds", "An unknown SKU",
    "Phone numbers that cannot be",
)  # fmt: skip
PICTURES = {"overview": "overview", "exception-unmapped_sku": "exception", "mapping-draft-preview": "preview"}  # page → docs/pictures/….png
EPOCH = datetime.min.replace(tzinfo=UTC)
TALLEST = 2600  # pixels; what is longer repeats itself


def main() -> None:
    """Photograph; raises CommandError when the demo's story does not come out right."""
    options = arguments()
    address = database.enter(DATABASE, keep=options.again)
    call_command("migrate", verbosity=0, interactive=False)
    logs = settings.LOCAL_DIR / "demo" / DATABASE
    with Stage() as stage, Crew(address, free_port(0), logs) as crew:
        if not options.again:
            story.lived(stage)
        players = cast.seed(shop_url=stage.shop_url, account_url=stage.account_url, webhook_base_url=crew.address)
        crew.start_web()
        crew.start_worker()
        motion = Motion(stage, crew, News(say).tell)
        if not options.again:
            play(story.Story(stage, players, motion, say))
        ended = timezone.now()
        motion.until("the overview's volumes are sampled", lambda: (last_pass() or EPOCH) > ended, seconds=150)
        number = pictures(crew.address, ROOT / "docs" / "pictures") if options.pictures else photograph(crew.address, options)
    connection.close()
    say(f"{number} pictures")


def arguments() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="photograph what the last run left")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--pictures", action="store_true", help="write the pictures of docs/ instead")
    return parser.parse_args()


def say(line: str) -> None:
    """One line of news."""
    print(f"{timezone.localtime():%H:%M:%S}  {line}", flush=True)


def play(scene: story.Story) -> None:
    """The demo's story as far as it makes good pictures, and what people do about it."""
    for title, chapter in story.CHAPTERS:
        if title in CHAPTERS:
            chapter(scene)
    scene.motion.rest(seconds=60)
    _draft(scene)
    _broken_connection()
    _comment()
    _backfill_under_way(scene)
    life_before()


def _draft(scene: story.Story) -> None:
    """A manager wants order numbers with a prefix, and names out of the orders."""
    manager = User.objects.get(username="manager")
    draft = draft_from(scene.cast.flows["order"].pk, manager)
    rules = {row.target: row.value() for row in draft.rules.all()}
    rules["web_id"] = replace(rules["web_id"], transforms=(Call("prefix", "UK-"),))
    del rules["customer.firstname"]
    save_rules(draft, rules.values(), manager)
    impact.start(draft, manager)


def _broken_connection() -> None:
    """An account whose key is wrong, as its test call finds it."""
    good = Connection.objects.get(platform="ometria")
    broken = Connection.objects.create(
        platform="ometria", name="Outlet account", external_id="outlet-account", base_url=good.base_url, settings=good.settings
    )
    set_credential(broken, "api_key", "demo-wrong-key")
    probe_connection(broken)


def _comment() -> None:
    """Somebody writes beside an open question."""
    question = SyncException.objects.get(state="open", kind="unmapped_sku")
    comment(question, User.objects.get(username="ecommerce"), "Asked the catalogue team: it is last year's article, a successor follows.")


def _backfill_under_way(scene: story.Story) -> None:
    """A backfill that is half way, and paused so that every picture shows the same."""
    manager, now = User.objects.get(username="manager"), timezone.now()
    row = start_backfill(scene.cast.shop, ["orders"], since=now - timedelta(days=400), by=manager)[0]
    pause(row, manager)
    Checkpoint.objects.filter(pk=row.pk).update(read_count=612, record_count=618, total=1500, started_at=now - timedelta(seconds=40))


def photograph(address: str, options: argparse.Namespace) -> int:
    """Every page in every variant; returns the number of pictures."""
    number = 0
    with open_browser() as browser:
        for scheme in SCHEMES:
            for size, name in ((DESK, "desk"), (PHONE, "phone")):
                with closing(open_context(browser, scheme=scheme, size=size, url=address)) as context:
                    for title, page in visit(context, options.only):
                        save(page, options.folder / f"{title}-{name}-{scheme}.png")
                        number += 1
    return number


def pictures(address: str, folder: Path) -> int:
    """The few pictures that the documents show; returns their number."""
    with open_browser() as browser, closing(open_context(browser, size={"width": 1280, "height": 900}, url=address)) as context:
        for title, page in visit(context, PICTURES):
            page.screenshot(path=folder / f"{PICTURES[title]}.png")
    return len(PICTURES)


def visit(context: BrowserContext, only: Collection[str]) -> Iterator[tuple[str, Page]]:
    """The pages of a visitor, then those of an administrator, then a refusal and a fault."""
    page = context.new_page()
    wanted = {name: path for name, path in {**VISITOR_PAGES, "sign-in-wrong": VISITOR_PAGES["sign-in"]}.items() if not only or name in only}
    for name, path in wanted.items():
        page.goto(path)
        if name == "sign-in-wrong":
            sign_in(page, "administrator", "not the password")
        yield name, page
    page.goto(VISITOR_PAGES["sign-in"])
    sign_in(page, "administrator", cast.password("administrator"))
    page.wait_for_url("**/admin/")
    for name, path in staff_pages().items():
        if not only or name in only:
            page.goto(path)
            yield name, page
    if not only or "fault" in only:
        page.route("**/fault", lambda route: route.fulfill(status=500, content_type="text/html", body=render_to_string("500.html")))
        page.goto("/fault")
        yield "fault", page
    if not only or "refused" in only:
        context.clear_cookies()
        page.goto(VISITOR_PAGES["sign-in"])
        sign_in(page, "ecommerce", cast.password("ecommerce"))
        page.wait_for_url("**/admin/")
        page.goto("/admin/auth/user/")
        yield "refused", page


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def save(page: Page, path: Path) -> None:
    """The whole page, and a word when something sticks out sideways."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.evaluate("document.fonts.ready")
    if wide := overflow(page):
        say(f"{path.stem}: {'; '.join(wide)}")
    height = min(TALLEST, page.evaluate(FULL_HEIGHT))
    size = page.viewport_size or DESK
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    page.screenshot(path=path)
    page.set_viewport_size(size)


FULL_HEIGHT = """() => Math.max(document.documentElement.scrollHeight,
    ...[...document.querySelectorAll('#main, #content, [data-simplebar]')].map((node) => node.scrollHeight))"""

if __name__ == "__main__":
    main()
