"""The test call of a site: its start page should carry the script, and the settings should let it send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import requests

from integrations.platforms.base import Account, Pacer, Probe
from integrations.platforms.errors import TryLater
from integrations.platforms.site.options import Options

SCRIPT = "collector/collector.js"
SECONDS = (5.0, 15.0)  # to connect, between two pieces of the answer
MAX_PAGE = 2 * 1024 * 1024
SECURE, LOCAL = "https://", ("http://127.0.0.1", "http://localhost")
MIN_KEY = 16


@dataclass(frozen=True, slots=True)
class SiteClient:
    """Looks at the site's own pages; nothing is ever sent to a site."""

    account: Account
    pacer: Pacer

    def start_page(self) -> tuple[int, str]:
        """Status and text of the site's address, at most 2 MB of it; redirects are not followed. Raises TryLater without an answer."""
        with requests.Session() as session:
            session.trust_env = False
            try:
                with session.get(self.account.base_url, timeout=SECONDS, allow_redirects=False, stream=True) as answer:
                    read = answer.raw.read(MAX_PAGE, decode_content=True)
                    return answer.status_code, read.decode(answer.encoding or "utf-8", "replace")
            except (requests.RequestException, OSError, LookupError) as fault:
                raise TryLater(f"The site does not answer: {type(fault).__name__}", code="network") from fault


def probe(client: SiteClient) -> Probe:
    """What may send, and whether the start page carries the script; raises TryLater, and Misconfigured for settings that cannot work."""
    account = client.account
    options = Options.of(account)
    page = _page_problems(*client.start_page())
    problems = (*_setting_problems(account, options), *page)
    signed = "taken when signed" if account.secrets.get("signing_secret") else "not taken: there is no signing secret"
    facts = {
        "Site key": account.external_id,
        "Pages that may send": ", ".join(sorted(options.allowed_origins)),
        "Script on the start page": "no" if page else "yes",
        "Calls of the shop's server": signed,
        "A checkout counts as abandoned after": f"{options.abandon_minutes:g} minutes",
    }
    summary = "Something needs a look." if problems else "The start page carries the script, and its events are taken."
    return Probe(ok=not problems, summary=summary, problems=problems, facts=facts)


def _setting_problems(account: Account, options: Options) -> Sequence[str]:
    problems = [
        f"{origin} is no origin: write it like https://www.example.com."
        for origin in sorted(options.allowed_origins)
        if not origin.startswith((SECURE, *LOCAL)) or origin.count("/") != 2 or origin.endswith("/")
    ]
    if len(account.external_id) < MIN_KEY:
        problems.append(f"The site key is short: use at least {MIN_KEY} characters, so that nobody guesses it.")
    return problems


def _page_problems(status: int, page: str) -> Sequence[str]:
    if 300 <= status < 400:
        return ("The site's address leads on to another page: put in the address it leads to.",)
    if status != 200:
        return (f"The site's start page answered {status}: put in an address that anybody may open.",)
    if SCRIPT not in page:
        return (f"The start page does not name {SCRIPT}. If a tag manager adds it, open a page of the shop and look into the inbox.",)
    return ()
