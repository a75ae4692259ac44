"""Paging that stays fast on millions of rows: by cursor, newest first, without a total."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Pages of at most 200 rows by descending id."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200
