"""Resolvers of every modelled type; importing this package fills the tables of ``resolvers``."""

from integrations.standins.shopify.fields import changes, checkouts, customers, jobs, orders, products, returns, roots, shop

__all__ = ["changes", "checkouts", "customers", "jobs", "orders", "products", "returns", "roots", "shop"]
