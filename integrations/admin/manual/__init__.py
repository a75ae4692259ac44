"""The operator's manual inside the console: articles, where help opens, search, and what is filled in live."""

from integrations.admin.manual import fields
from integrations.admin.manual.articles import ARTICLES, Article
from integrations.admin.manual.places import help_url, manual_url
from integrations.admin.manual.views import filled_by

__all__ = ["ARTICLES", "Article", "fields", "filled_by", "help_url", "manual_url"]
