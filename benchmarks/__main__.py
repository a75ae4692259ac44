"""`python -m benchmarks [figure…] [--runs 5] [--quick]`: measure, print one table, write `latest.json`, leave nothing behind."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import database
from benchmarks.processes import Processes

NAMES = ("ceiling", "acknowledge", "whole_path", "idle", "history", "pages", "suggestions", "release", "tiktok_path", "collector",
         "commercetools_path", "commercetools_people", "consent")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every target is met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="figure", help=f"some of: {', '.join(NAMES)}; all without")
    parser.add_argument("--runs", type=int, default=5, help="runs of each figure; the table shows medians")
    parser.add_argument("--quick", action="store_true", help="small loads, to see that the scripts work; the figures mean nothing")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="switchyard-bench-"))
    folder.chmod(0o755)
    url = database.enter()
    try:
        return _measure(asked.names or NAMES, url, folder, runs=1 if asked.quick else asked.runs, quick=asked.quick)
    finally:
        from django.db import connections

        connections.close_all()
        database.leave()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(names: tuple[str, ...] | list[str], url: str, folder: Path, *, runs: int, quick: bool) -> int:
    os.environ.update(DATABASE_URL=url, DEMO="1", LOG_LEVEL="WARNING")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from benchmarks import (
        acknowledge,
        ceilings,
        collector,
        commercetools_path,
        commercetools_people,
        consent,
        figures,
        history,
        idle,
        pages,
        release,
        suggestions,
        tiktok_path,
        whole_path,
    )

    modules = (ceilings, acknowledge, whole_path, idle, history, pages, suggestions, release, tiktok_path, collector,
               commercetools_path, commercetools_people, consent)  # fmt: skip
    known = {figure.FIGURE.name: figure.FIGURE for figure in modules}
    facts = {"quick": quick, "machine": figures.machine(), "postgresql": database.settings_of(url)}
    print(f"{facts['machine']}\n{facts['postgresql']}\n{'QUICK: small loads, the figures mean nothing' if quick else ''}", flush=True)
    results = []
    with Processes(url, folder) as processes:
        run = figures.Run(processes, folder, runs, quick)
        for name in names:
            print(f"measuring {known[name].title} …", flush=True)
            results.append(figures.Result.of(known[name], known[name].measure(run)))
            print(figures.table(results[-1:]), flush=True)
    print("\n" + figures.table(results), flush=True)
    figures.save(results, facts)
    return 0 if quick or not any(result.missed() for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
