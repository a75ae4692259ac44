"""Ometria: records are pushed in batches, validated later, and confirmed from the error list or by reading them back.

It is a source as well, of one thing: what people said there about being written to.
"""

from integrations.platforms.base import Platform
from integrations.platforms.ometria.client import JOB_RATES, OmetriaClient
from integrations.platforms.ometria.erasure import OmetriaErasure
from integrations.platforms.ometria.expand import expand
from integrations.platforms.ometria.merge import OmetriaMerging
from integrations.platforms.ometria.options import DEFAULT_RATE, SECRETS, SETTINGS
from integrations.platforms.ometria.parse import parse
from integrations.platforms.ometria.probe import probe
from integrations.platforms.ometria.read import READERS
from integrations.platforms.ometria.schema import TARGETS
from integrations.platforms.ometria.survey import OmetriaSurvey
from integrations.platforms.ometria.webhooks import OmetriaWebhooks
from integrations.platforms.ometria.write import WRITERS

PLATFORM = Platform(
    slug="ometria",
    label="Ometria",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=OmetriaClient,
    probe=probe,
    default_base_url="https://api.ometria.com",
    webhooks=OmetriaWebhooks(),
    expand=expand,
    parse=parse,
    readers=READERS,
    writers=WRITERS,
    survey=OmetriaSurvey(),
    merging=OmetriaMerging(),
    erasure=OmetriaErasure(),
    targets=TARGETS,
    rates={"push": (DEFAULT_RATE, DEFAULT_RATE), "read": (DEFAULT_RATE, DEFAULT_RATE), **JOB_RATES},
)
