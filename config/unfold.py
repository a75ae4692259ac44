"""How the console looks: title, colours and the side bar with the open questions first."""

from __future__ import annotations

UNFOLD = {
    "SITE_TITLE": "Switchyard",
    "SITE_HEADER": "Switchyard",
    "SITE_SUBHEADER": "Operations console",
    "SITE_SYMBOL": "alt_route",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
