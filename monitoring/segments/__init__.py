"""Segment health: what a marketing platform says of its segments, against what our own records say."""
