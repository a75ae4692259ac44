"""Carrying out requests of people about their own data: finding everything of a person, handing it out, erasing it, proving it."""
