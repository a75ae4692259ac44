"""Serializer fields and small answers that several resources share."""

from __future__ import annotations

from rest_framework import serializers

from integrations.models import Connection

BULK_LIMIT = 1000


class ConnectionName(serializers.ModelSerializer):
    """A connection as other resources name it."""

    class Meta:
        model = Connection
        fields = ["id", "name", "platform"]


class Ids(serializers.Serializer):
    """The rows a bulk act is about."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=BULK_LIMIT)


class Count(serializers.Serializer):
    """How many rows an act changed."""

    count = serializers.IntegerField()


class Note(serializers.Serializer):
    """Words that go with an act."""

    note = serializers.CharField(max_length=500, trim_whitespace=True)
