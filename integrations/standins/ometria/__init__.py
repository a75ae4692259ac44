"""A local Ometria: Data API v2 with validation, clustering, consent, quotas and everything that goes wrong there."""

from integrations.standins.ometria.standin import OmetriaStandIn

__all__ = ["OmetriaStandIn"]
