"""Alerts: conditions of the overview, told once when they begin and once when they are over, to the people and systems that asked."""
