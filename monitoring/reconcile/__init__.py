"""Comparing both ends of a flow: read, compare, store each drift once, repair, look again."""
