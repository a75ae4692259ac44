"""The tables of moving records."""

from integrations.models.answer import SkuAnswer
from integrations.models.connection import Connection, Credential, OAuthState, RateBudget
from integrations.models.desk import Correction, DeskAct, DeskRun, SavedView
from integrations.models.exception import ExceptionComment, Hold, SyncException
from integrations.models.figures import EngagementFigure
from integrations.models.flow import Checkpoint, Flow
from integrations.models.impact import ImpactRun
from integrations.models.inbox import InboxEvent
from integrations.models.outbox import Attempt, Delivery, Receipt
from integrations.models.pages import ContactSync, SkuBacklog, UnmappedSku
from integrations.models.privacy import PrivacyFilePart, PrivacyMark, PrivacyRequest
from integrations.models.search import SearchTerm
from integrations.models.visitor import VisitorIdentity

__all__ = [
    "Attempt",
    "Checkpoint",
    "Connection",
    "ContactSync",
    "Correction",
    "Credential",
    "Delivery",
    "DeskAct",
    "DeskRun",
    "EngagementFigure",
    "ExceptionComment",
    "Flow",
    "Hold",
    "ImpactRun",
    "InboxEvent",
    "OAuthState",
    "PrivacyFilePart",
    "PrivacyMark",
    "PrivacyRequest",
    "RateBudget",
    "Receipt",
    "SavedView",
    "SearchTerm",
    "SkuAnswer",
    "SkuBacklog",
    "SyncException",
    "UnmappedSku",
    "VisitorIdentity",
]
