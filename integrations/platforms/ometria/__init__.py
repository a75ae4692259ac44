"""Ometria: records are pushed in batches, validated later, and confirmed from the error list or by reading them back."""

from integrations.platforms.base import Platform
from integrations.platforms.ometria.client import MERGE_RATE, OmetriaClient
from integrations.platforms.ometria.merge import OmetriaMerging
from integrations.platforms.ometria.options import DEFAULT_RATE, SECRETS, SETTINGS
from integrations.platforms.ometria.probe import probe
from integrations.platforms.ometria.schema import TARGETS
from integrations.platforms.ometria.survey import OmetriaSurvey
from integrations.platforms.ometria.write import WRITERS

PLATFORM = Platform(
    slug="ometria",
    label="Ometria",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=OmetriaClient,
    probe=probe,
    default_base_url="https://api.ometria.com",
    writers=WRITERS,
    survey=OmetriaSurvey(),
    merging=OmetriaMerging(),
    targets=TARGETS,
    rates={"push": (DEFAULT_RATE, DEFAULT_RATE), "read": (DEFAULT_RATE, DEFAULT_RATE), "merge": (MERGE_RATE, 1.0)},
)
