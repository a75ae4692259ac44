"""Rows that the database tests of the mapping app begin with."""

from __future__ import annotations

import pytest

from integrations.models import Connection, Flow


@pytest.fixture
def shop(db):
    return Connection.objects.create(
        platform="shopify", name="Demo shop", external_id="demo-shop.myshopify.com", base_url="http://127.0.0.1:1"
    )


@pytest.fixture
def ometria(db):
    return Connection.objects.create(platform="ometria", name="Demo Ometria", external_id="demo", base_url="http://127.0.0.1:2")


@pytest.fixture
def flow(shop, ometria):
    return Flow.objects.create(source=shop, destination=ometria, record_type="order")


@pytest.fixture
def customer_flow(shop, ometria):
    return Flow.objects.create(source=shop, destination=ometria, record_type="customer")


@pytest.fixture
def staff(django_user_model):
    return django_user_model.objects.create_user("mia", password="long enough to be one")
