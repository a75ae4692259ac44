"""The operator's manual inside the console: articles, where help opens, search, and what is filled in live."""

from integrations.admin.manual.articles import ARTICLES, Article
from integrations.admin.manual.places import help_url, manual_url

__all__ = ["ARTICLES", "Article", "help_url", "manual_url"]
