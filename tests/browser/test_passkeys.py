"""A passkey as the second factor, with Chromium's own virtual authenticator: set up where a role needs one, asked for when signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Visitor, person
from tests.rows import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


def test_a_passkey_is_set_up_where_a_role_needs_one_and_opens_the_console(visit: Callable[..., Visitor], settings: Any) -> None:
    settings.REQUIRE_MFA_FOR = ["administrator"]
    person("administrator")
    visitor = visit()
    page = visitor.page
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})

    visitor.sign_in("administrator")
    visitor.reads("Your role needs a second factor")
    visitor.open("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)  # once more, before anything about signing in is changed
    page.locator("main form button").first.click()
    page.get_by_label("Name").fill("Laptop")
    visitor.press("Add", within="main")
    page.wait_for_url("**/accounts/2fa/recovery-codes/**")
    visitor.open("/admin/")
    page.get_by_role("heading", name="Overview", exact=True).wait_for()

    page.context.clear_cookies()
    visitor.sign_in("administrator")
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    visitor.press("Use a security key")
    page.wait_for_url("**/admin/")
