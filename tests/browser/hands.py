"""Hands that are counted by the browser itself: every press of the mouse and every key that reaches a page, whoever's code made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Dialog, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import Visitor

CLICK, KEY = "click", "key"
WRITABLE = "document.activeElement.matches('input, textarea')"
WATCH = """(() => {
  const modifiers = new Set(["Control", "Shift", "Alt", "Meta"]);
  const name = (node) => {
    const thing = node instanceof Element && (node.closest("a, button, summary, label, input") || node);
    return thing ? (thing.innerText || thing.getAttribute("aria-label") || thing.tagName).trim().slice(0, 40) : "the page";
  };
  addEventListener("pointerdown", (event) => { if (event.isTrusted) window.handsDid("click", name(event.target)); }, true);
  addEventListener("keydown", (event) => {
    if (event.isTrusted && !event.repeat && !modifiers.has(event.key)) window.handsDid("key", event.key);
  }, true);
})();"""


@dataclass(slots=True)
class Hands:
    """What one person does with mouse and keyboard. Words that are typed or dropped in (`write`) are no keys; getting into the field is."""

    visitor: Visitor
    did: list[tuple[str, str]] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The window."""
        return self.visitor.page

    def count(self, kind: str) -> int:
        """How many clicks or keys so far."""
        return sum(each == kind for each, _ in self.did)

    def click(self, what: str | Locator, *, role: str = "link", within: str = "body") -> None:
        """Click the one thing of that name."""
        found = self.page.locator(within).get_by_role(role, name=what, exact=True) if isinstance(what, str) else what
        found.click()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type words into the field that has the focus."""
        with suppress(PlaywrightTimeout):  # a page may give the focus a moment after it was shown
            self.page.wait_for_function(WRITABLE, timeout=2000)
        assert self.page.evaluate(WRITABLE), f"there is no field to write “{text}” into"
        self.page.keyboard.insert_text(text)

    def reads(self, text: str, *, within: str = "body", seconds: float = 10.0) -> None:
        """Wait until the page says so."""
        self.visitor.reads(text, within=within, seconds=seconds)

    @contextmanager
    def budget(self, *, clicks: int = 0, keys: int = 0) -> Iterator[None]:
        """Fails when what happens in here takes more clicks or keys than that; a question that the browser asks back costs a click."""
        before = len(self.did)
        yield
        self.page.evaluate("1")  # whatever the page has to tell has arrived
        done = self.did[before:]
        used = {kind: sum(each == kind for each, _ in done) for kind in (CLICK, KEY)}
        said = ", ".join(f"{kind} {name!r}" for kind, name in done)
        assert done, "nobody did anything"
        assert used[CLICK] <= clicks, f"{used[CLICK]} clicks where {clicks} are allowed: {said}"
        assert used[KEY] <= keys, f"{used[KEY]} keys where {keys} are allowed: {said}"


def counted(visitor: Visitor) -> Hands:
    """The hands of a visitor from here on; the next page that is opened is the first that is watched."""
    hands = Hands(visitor)
    visitor.page.expose_binding("handsDid", lambda source, kind, name: hands.did.append((kind, name)))
    visitor.page.add_init_script(WATCH)
    visitor.page.on("dialog", lambda dialog: _agree(hands, dialog))
    return hands


def _agree(hands: Hands, dialog: Dialog) -> None:
    hands.did.append((CLICK, f"yes to {dialog.message}"))
    dialog.accept()


def sit(visit: Callable[..., Visitor], role: str, path: str = "/admin/", **options: Any) -> Hands:
    """Somebody of that role in front of a page, with nothing done yet."""
    hands = counted(visit(role, **options))
    hands.visitor.open(path)
    return hands
