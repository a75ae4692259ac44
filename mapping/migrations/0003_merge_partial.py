"""The function that joins two states of a person of whom the source shows only part."""

from __future__ import annotations

from django.db import migrations

# Every field keeps the newest value that anybody ever stated for it, whatever order the states arrive in; an empty one states nothing.
# "seen" holds the time of those fields whose value is older than the record; at the same moment the greater value stays.
CREATE = """
CREATE FUNCTION merge_partial(held jsonb, came jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
  WITH newest AS (
    SELECT CASE WHEN (came ->> 'occurred_at')::timestamptz > (held ->> 'occurred_at')::timestamptz
                THEN came ->> 'occurred_at' ELSE held ->> 'occurred_at' END AS at),
  stated AS (
    SELECT DISTINCT ON (field.name) field.name, field.value,
           COALESCE(state.record -> 'seen' ->> field.name, state.record ->> 'occurred_at') AS at
    FROM (VALUES (held), (came)) AS state (record), jsonb_each(state.record) AS field (name, value)
    WHERE field.name NOT IN ('occurred_at', 'seen') AND field.value NOT IN ('null', '""', '[]', '{}')
    ORDER BY field.name, COALESCE(state.record -> 'seen' ->> field.name, state.record ->> 'occurred_at')::timestamptz DESC,
             field.value DESC)
  SELECT (held - 'seen') || jsonb_object_agg(stated.name, stated.value) || jsonb_build_object('occurred_at', (SELECT at FROM newest))
    || CASE WHEN bool_and(stated.at = (SELECT at FROM newest)) THEN '{}'::jsonb
            ELSE jsonb_build_object('seen', jsonb_object_agg(stated.name, stated.at)
                                            FILTER (WHERE stated.at <> (SELECT at FROM newest))) END
  FROM stated
$$
"""


class Migration(migrations.Migration):
    """`merge_partial(held, came)`, used by the outbox."""

    dependencies = [("mapping", "0002_contacts_and_masking_rules")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION merge_partial(jsonb, jsonb)")]
