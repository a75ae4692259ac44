"""Every article of the manual, declared once: contents, addresses, search and help links read this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """One page of the manual; its text is the template `manual/<slug>.html`, made of sections with an id each."""

    slug: str
    title: str
    summary: str
    symbol: str

    @property
    def template(self) -> str:
        """The template that holds the text."""
        return f"manual/{self.slug}.html"


GROUPS: dict[str, tuple[Article, ...]] = {
    "Start here": (
        Article("what-it-does", "What Switchyard does", "How records travel, in one page.", "alt_route"),
        Article("your-day", "Your day", "What each role looks at, and in which order.", "today"),
        Article("daily-check", "Daily check", "A list with today's numbers; five minutes.", "checklist"),
        Article("monthly-audit", "Monthly audit", "What to look at once a month, and the record of it.", "fact_check"),
    ),
    "When something waits": (
        Article("exceptions", "Exceptions and their remedies", "Every kind of question: what happened and what to do.", "help"),
        Article("unmapped-products", "Unmapped products", "Orders that wait because a SKU is unknown.", "inventory_2"),
        Article("suggestions", "Suggestions and thresholds", "Where proposals come from, and when they apply themselves.", "lightbulb"),
        Article("contact-syncs", "Failed contact syncs", "People who did not reach the marketing platform.", "person_alert"),
        Article("find", "Find anything", "Where is this order, this person, this product?", "search"),
        Article("deliveries", "Deliveries and the inbox", "Follow one record from its arrival to the far end.", "outbox"),
    ),
    "Is it right?": (
        Article("health", "Health, silence and alerts", "What the overview's numbers mean, and when to worry.", "monitoring"),
        Article("alerts", "Alerts", "Who is told when something goes wrong, and how a receiver checks it.", "notifications"),
        Article("segments", "Segment health", "Is my segment as large as it should be?", "donut_large"),
        Article("reconciliation", "Reconciliation", "Compare both ends and repair what differs.", "balance"),
        Article("consent", "Consent", "Why a person may, or may not, be written to.", "how_to_reg"),
        Article("duplicates", "Duplicates", "One person, several profiles.", "group_remove"),
    ),
    "Rules": (
        Article("fields", "How each field is filled today", "Generated from the published rules; search by field.", "edit_note"),
        Article("mappings", "Mappings", "Draft, preview, publish, roll back.", "rule"),
        Article("value-tables", "Crosswalk and value tables", "Words and SKUs of one platform in those of another.", "table"),
        Article("masking-and-identity", "Masking and identity", "Who is who, and which values identify nobody.", "fingerprint"),
    ),
    "Set-up": (
        Article("connections", "Connections", "Connect, renew and test each platform.", "cable"),
        Article("collector", "Collector for the own site", "The snippet, what it sends and how consent is kept.", "code"),
        Article("backfill", "Backfills", "Bring history without getting in the way.", "history"),
        Article("privacy", "Privacy", "Export or erase everything about a person, with proof.", "shield_person"),
        Article("people", "People, roles and sign-in", "Who may do what; the second factor; API tokens.", "group"),
        Article("glossary", "Glossary", "One word for each thing.", "dictionary"),
    ),
}
ARTICLES: dict[str, Article] = {article.slug: article for articles in GROUPS.values() for article in articles}
