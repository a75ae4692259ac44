"""Published mapping versions as plans ready to run, compiled once per process and version."""

from __future__ import annotations

from functools import lru_cache

from mapping.compiler import Plan, plan_from_rules
from mapping.models import MappingVersion
from mapping.rules import BadRules

__all__ = ["BadRules", "NoPlan", "Plan", "active_plan", "active_version_id", "compile_plan", "plan_from_rules"]


class NoPlan(Exception):  # noqa: N818 - named for the answer
    """The flow has no published mapping version, so nothing of it can be translated."""


def compile_plan(version: MappingVersion) -> Plan:
    """The plan of a version, whatever its state; raises BadRules."""
    return version.plan()


def active_version_id(flow_id: int) -> int:
    """The id of the flow's published version; raises NoPlan."""
    found = MappingVersion.objects.filter(flow_id=flow_id, state=MappingVersion.State.PUBLISHED).values_list("pk", flat=True).first()
    if found is None:
        raise NoPlan(f"flow {flow_id} has no published mapping version")
    return found


def active_plan(flow_id: int) -> Plan:
    """The plan of the flow's published version, at the cost of one small query; raises NoPlan or BadRules."""
    return _compiled(active_version_id(flow_id))


@lru_cache(maxsize=256)
def _compiled(version_id: int) -> Plan:
    """Safe to keep: a version that was published never changes."""
    return compile_plan(MappingVersion.objects.select_related("flow").get(pk=version_id))
