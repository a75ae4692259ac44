"""People signed in to the console, by role."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.rows import signed_in


@pytest.fixture
def sign_in(db: None) -> Callable[[str], Client]:
    """A browser of somebody with that role."""

    return signed_in


@pytest.fixture
def administrator(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("administrator")


@pytest.fixture
def manager(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("manager")


@pytest.fixture
def ecommerce(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("ecommerce")
