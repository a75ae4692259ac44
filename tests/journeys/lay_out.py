"""Run as a process on a database of its own: connections and flows to stand-ins that live elsewhere.

`python -m tests.journeys.lay_out <address of the stand-ins> <address of the console>`
"""

from __future__ import annotations

import sys

import django


def main(stand_ins: str, hooks: str) -> None:
    """Lay out route B and subscribe its webhooks."""
    django.setup()
    from integrations.engine.watch import check_subscriptions
    from tests.conftest import lay_out_route_b

    source, _ = lay_out_route_b(f"{stand_ins}/shopify", f"{stand_ins}/ometria", hooks)
    check_subscriptions(source)


if __name__ == "__main__":
    main(*sys.argv[1:])
