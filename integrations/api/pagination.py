"""Paging that stays fast on millions of rows: by cursor, newest first, without a total."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Pages of at most 200 rows by descending id."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200


class LatestChange(NewestFirst):
    """Deliveries by their last change, along the index made for the console's list."""

    ordering = ("-updated_at", "-id")


class LastSeen(NewestFirst):
    """Exceptions by when they were last seen."""

    ordering = ("-last_seen", "-id")
