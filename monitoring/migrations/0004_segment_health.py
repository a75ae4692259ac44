from django.conf import settings
import django.db.models.deletion
from django.db import migrations, models

ANSWERS = [
    ('unread', 'Not read yet'), ('healthy', 'Healthy'), ('absent', 'Gone from Ometria'), ('not_ready', 'Not ready'), ('empty', 'Empty'),
    ('stale', 'Not refreshed'), ('shrunk', 'Smaller than usual'), ('grown', 'Bigger than usual'), ('drifted', 'Differs from our records'),
]
STATES = [('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('cancelled', 'Cancelled'), ('failed', 'Failed')]


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0010_shared_grants_and_figures'),
        ('monitoring', '0003_audits'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='FactMark',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('until', models.DateTimeField()),
                ('caught_up_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SegmentSource',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='segment_source', serialize=False, to='integrations.connection')),
                ('due_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('faults', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('list_id', models.CharField(max_length=100, verbose_name='id')),
                ('title', models.CharField(max_length=300)),
                ('kind', models.CharField(blank=True, max_length=30, verbose_name='type')),
                ('status', models.CharField(blank=True, max_length=30)),
                ('size', models.PositiveIntegerField(null=True)),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('present', models.BooleanField(default=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('watched', models.BooleanField(default=False)),
                ('rule', models.JSONField(blank=True, default=dict)),
                ('median_percent', models.PositiveSmallIntegerField(default=20, verbose_name='differs from its usual size by more than (%)')),
                ('drift_percent', models.PositiveSmallIntegerField(default=10, verbose_name='differs from our records by more than (%)')),
                ('stale_days', models.PositiveSmallIntegerField(default=8, verbose_name='not refreshed for more than (days)')),
                ('usual', models.PositiveIntegerField(null=True)),
                ('expected', models.PositiveIntegerField(null=True)),
                ('expected_at', models.DateTimeField(null=True)),
                ('answer', models.CharField(choices=ANSWERS, default='unread', max_length=12)),
                ('reasons', models.JSONField(default=list)),
                ('answered_at', models.DateTimeField(null=True)),
                ('missing', models.JSONField(default=dict)),
                ('changed', models.JSONField(default=dict)),
                ('spark', models.JSONField(default=list)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='integrations.connection')),
            ],
            options={
                'ordering': ['title'],
                'indexes': [models.Index(condition=models.Q(('watched', True)), fields=['connection', 'title'], name='segment_watched')],
                'constraints': [models.UniqueConstraint(fields=('connection', 'list_id'), name='one_segment_per_list')],
            },
        ),
        migrations.CreateModel(
            name='SegmentReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('size', models.PositiveIntegerField(null=True)),
                ('status', models.CharField(blank=True, max_length=30)),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('expected', models.PositiveIntegerField(null=True)),
                ('answer', models.CharField(choices=ANSWERS, max_length=12)),
                ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='monitoring.segment')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='segment_reading_at')],
                'constraints': [models.UniqueConstraint(fields=('segment', 'at'), name='one_reading_per_moment')],
            },
        ),
        migrations.CreateModel(
            name='SegmentFlip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('before', models.CharField(choices=ANSWERS, max_length=12)),
                ('after', models.CharField(choices=ANSWERS, max_length=12)),
                ('reason', models.TextField()),
                ('segment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='flips', to='monitoring.segment')),
            ],
            options={
                'indexes': [models.Index(fields=['segment', '-at'], name='segment_flip_latest')],
            },
        ),
        migrations.CreateModel(
            name='OrderFact',
            fields=[
                ('delivery', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='order_fact', serialize=False, to='integrations.delivery')),
                ('flow_id', models.BigIntegerField()),
                ('person', models.BigIntegerField()),
                ('placed_at', models.DateTimeField()),
                ('status', models.CharField(max_length=30)),
                ('status_since', models.DateTimeField()),
                ('net', models.DecimalField(decimal_places=4, max_digits=20)),
                ('currency', models.CharField(max_length=3)),
                ('skus', models.JSONField(default=list)),
                ('state', models.CharField(max_length=10)),
                ('state_since', models.DateTimeField()),
                ('delivered_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['flow_id', 'placed_at'], name='order_fact_window'),
                    models.Index(fields=['person', 'placed_at'], name='order_fact_person'),
                    models.Index(condition=models.Q(('state', 'delivered'), _negated=True), fields=['flow_id', 'placed_at'], name='order_fact_open'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ContactFact',
            fields=[
                ('delivery', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='contact_fact', serialize=False, to='integrations.delivery')),
                ('flow_id', models.BigIntegerField()),
                ('person', models.BigIntegerField()),
                ('consent', models.CharField(max_length=10)),
                ('consent_since', models.DateTimeField()),
                ('state', models.CharField(max_length=10)),
                ('state_since', models.DateTimeField()),
            ],
            options={
                'indexes': [
                    models.Index(fields=['person'], name='contact_fact_person'),
                    models.Index(condition=models.Q(('consent', 'withdrawn')), fields=['flow_id', 'consent_since'], name='contact_fact_withdrawn'),
                    models.Index(condition=models.Q(('state', 'blocked')), fields=['flow_id', 'state_since'], name='contact_fact_held'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ReadBack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('state', models.CharField(choices=STATES, default='waiting', max_length=10)),
                ('chosen', models.JSONField(default=list)),
                ('done', models.PositiveIntegerField(default=0)),
                ('fields', models.JSONField(default=dict)),
                ('faults', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='read_backs', to='monitoring.segment')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['due_at'], name='read_back_open')],
            },
        ),
        migrations.CreateModel(
            name='ReadBackRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('found', models.BooleanField()),
                ('member', models.BooleanField(null=True)),
                ('differences', models.JSONField(default=list)),
                ('cause', models.CharField(max_length=20)),
                ('delivery', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.delivery')),
                ('read_back', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='monitoring.readback')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('read_back', 'delivery'), name='one_row_per_read_back_and_delivery')],
            },
        ),
    ]
