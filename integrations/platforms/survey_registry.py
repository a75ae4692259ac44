"""Which platforms can be compared, written out: destinations to survey, sources to look at, and who can merge people."""

from __future__ import annotations

from integrations.platforms.ometria.merge import OmetriaMerging
from integrations.platforms.ometria.survey import OmetriaSurvey
from integrations.platforms.shopify.look import LOOK as SHOPIFY
from integrations.platforms.survey import Merging, SourceLook, Survey
from integrations.platforms.tiktok_shop.look import LOOK as TIKTOK_SHOP

SURVEYS: dict[str, Survey] = {"ometria": OmetriaSurvey()}
LOOKS: dict[str, SourceLook] = {"shopify": SHOPIFY, "tiktok_shop": TIKTOK_SHOP}
MERGING: dict[str, Merging] = {"ometria": OmetriaMerging()}
