from django.conf import settings
import django.db.models.deletion
import django.db.models.functions.datetime
import monitoring.reconcile.causes
from django.db import migrations, models

RUN_STATES = [
    ('waiting', 'Waiting'), ('running', 'Running'), ('paused', 'Paused'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled'),
]
DRIFT_STATES = [('open', 'Open'), ('repairing', 'Being repaired'), ('closed', 'Healed'), ('dismissed', 'Left as it is')]
PAIR_STATES = [
    ('open', 'To decide'), ('asked', 'Merge asked for'), ('merging', 'Merge under way'), ('merged', 'Merged'),
    ('different', 'Not the same person'), ('gone', 'One of them is gone'),
]


def now():
    return django.db.models.functions.datetime.Now()


def person():
    return models.ForeignKey(
        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0010_shared_grants_and_figures'),
        ('monitoring', '0004_segment_health'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('records', 'Record by record'), ('counts', 'Counts by day')], default='records', max_length=10)),
                ('basis', models.CharField(choices=[('changed', 'Changed in the window'), ('placed', 'Placed in the window')], default='changed', max_length=10, verbose_name='records')),
                ('window_from', models.DateTimeField()),
                ('window_to', models.DateTimeField()),
                ('nightly', models.BooleanField(default=False)),
                ('grace_seconds', models.PositiveIntegerField(default=1800)),
                ('state', models.CharField(choices=RUN_STATES, default='waiting', max_length=10)),
                ('stage', models.CharField(default='destination', max_length=12)),
                ('cursor', models.TextField(blank=True)),
                ('due_at', models.DateTimeField(db_default=now())),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('faults', models.PositiveSmallIntegerField(default=0)),
                ('stored_count', models.PositiveIntegerField(default=0, verbose_name='read at the destination')),
                ('source_count', models.PositiveIntegerField(default=0, verbose_name='read at the source')),
                ('people_count', models.PositiveIntegerField(default=0, verbose_name='people read at the destination')),
                ('total', models.PositiveIntegerField(blank=True, null=True)),
                ('matched', models.PositiveIntegerField(default=0)),
                ('left_out', models.PositiveIntegerField(default=0, verbose_name='left out on purpose')),
                ('under_way', models.PositiveIntegerField(default=0)),
                ('drifted', models.PositiveIntegerField(default=0)),
                ('closed', models.PositiveIntegerField(default=0, verbose_name='found repaired')),
                ('value', models.DecimalField(decimal_places=2, default=0, max_digits=20, verbose_name='value of its drifts')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('days', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('flow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reconciliations', to='integrations.flow')),
                ('requested_by', person()),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'indexes': [
                    models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['due_at'], name='reconciliation_due'),
                    models.Index(fields=['-created_at'], name='reconciliation_latest'),
                    models.Index(fields=['flow', '-created_at'], name='reconciliation_of_flow'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Seen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(max_length=1)),
                ('key', models.CharField(db_collation='C', max_length=200)),
                ('delivery_id', models.BigIntegerField(null=True)),
                ('facts', models.JSONField(default=dict)),
                ('met', models.BooleanField(default=False)),
                ('at', models.DateTimeField(db_default=now())),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='seen', to='monitoring.reconciliation')),
            ],
            options={
                'verbose_name_plural': 'seen',
                'constraints': [models.UniqueConstraint(fields=('run', 'side', 'key'), name='seen_once_per_run')],
            },
        ),
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('aspect', models.CharField(choices=monitoring.reconcile.causes.aspect_choices, max_length=10)),
                ('cause', models.CharField(choices=monitoring.reconcile.causes.cause_choices, max_length=20)),
                ('record_key', models.CharField(db_collation='C', max_length=200)),
                ('destination_key', models.CharField(blank=True, max_length=200)),
                ('pull_key', models.CharField(blank=True, max_length=200)),
                ('title', models.CharField(max_length=300)),
                ('field', models.CharField(blank=True, max_length=200)),
                ('ours', models.CharField(blank=True, max_length=300, verbose_name='should be')),
                ('theirs', models.CharField(blank=True, max_length=300, verbose_name='is at the destination')),
                ('more', models.PositiveSmallIntegerField(default=0)),
                ('value', models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('state', models.CharField(choices=DRIFT_STATES, default='open', max_length=10)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='repairs tried')),
                ('asked_at', models.DateTimeField(blank=True, null=True, verbose_name='repair asked for')),
                ('first_seen', models.DateTimeField(db_default=now())),
                ('last_seen', models.DateTimeField(db_default=now())),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('asked_by', person()),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='drifts', to='integrations.delivery')),
                ('exception', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.syncexception')),
                ('flow', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='integrations.flow')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='drifts', to='monitoring.reconciliation')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['state', '-last_seen', '-id'], name='drift_list'),
                    models.Index(fields=['state', 'cause', '-last_seen'], name='drift_by_cause'),
                    models.Index(fields=['state', 'flow', '-last_seen'], name='drift_by_flow'),
                    models.Index(fields=['record_key'], name='drift_key'),
                ],
                'constraints': [
                    models.UniqueConstraint(
                        condition=models.Q(('state__in', ['open', 'repairing'])), fields=('flow', 'record_key', 'aspect'), name='one_open_drift_per_aspect'
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name='Duplicate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.CharField(max_length=255)),
                ('second', models.CharField(max_length=255)),
                ('reasons', models.JSONField(default=list)),
                ('listing', models.CharField(blank=True, max_length=200)),
                ('title', models.CharField(max_length=300)),
                ('state', models.CharField(choices=PAIR_STATES, default='open', max_length=10)),
                ('survivor', models.CharField(blank=True, max_length=255)),
                ('job', models.CharField(blank=True, max_length=100)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('faults', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(db_default=now())),
                ('found_at', models.DateTimeField(db_default=now())),
                ('seen_at', models.DateTimeField(db_default=now())),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duplicates', to='integrations.connection')),
                ('decided_by', person()),
            ],
            options={
                'verbose_name': 'suspected duplicate',
                'indexes': [
                    models.Index(fields=['state', '-found_at', '-id'], name='duplicate_list'),
                    models.Index(condition=models.Q(('state__in', ['asked', 'merging'])), fields=['due_at'], name='duplicate_due'),
                ],
                'constraints': [models.UniqueConstraint(fields=('connection', 'first', 'second'), name='one_row_per_pair')],
            },
        ),
    ]
