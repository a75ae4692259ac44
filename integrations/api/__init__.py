"""The REST API of moving data."""
