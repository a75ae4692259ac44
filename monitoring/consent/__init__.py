"""Consents: does every side hold what people said, who is it that it does not hold it of, and sending it again."""
