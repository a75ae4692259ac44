"""The ways that events of commercetools come over HTTP: how each is checked, and what a call of it holds."""
