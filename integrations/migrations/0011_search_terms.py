"""What things are found by, and indexes for the other things that people search: questions by subject, tries by request id, acts by row."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0011_exception_desk"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("number", "Order number"),
                            ("email", "E-mail address"),
                            ("phone", "Phone number"),
                            ("sku", "SKU"),
                            ("barcode", "Barcode"),
                            ("word", "Word of a title"),
                        ],
                        max_length=8,
                    ),
                ),
                ("term", models.CharField(db_collation="C", max_length=100)),
                ("record_type", models.CharField(max_length=20)),
                ("record_key", models.CharField(db_collation="C", max_length=200)),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="searchterm",
            constraint=models.UniqueConstraint(
                fields=("kind", "term", "connection", "record_type", "record_key"), name="one_row_per_term"
            ),
        ),
        migrations.AddIndex(model_name="syncexception", index=models.Index(fields=["subject"], name="exception_subject")),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["request_id"], condition=models.Q(("request_id", ""), _negated=True), name="attempt_request"),
        ),
        # The table of who did what is Django's own and has no index for one row's acts.
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS admin_log_of_row ON django_admin_log (content_type_id, object_id, action_time DESC)",
            "DROP INDEX IF EXISTS admin_log_of_row",
        ),
    ]
