"""Who may sign up: nobody. Administrators make accounts in the console."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):
    """allauth without public registration."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always closed."""
        return False
