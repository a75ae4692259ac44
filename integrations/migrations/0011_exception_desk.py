"""The exception desk: snoozing, returning, what waits as a number to sort by; acts, runs, saved views, corrections."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0010_shared_grants_and_figures'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('values', models.JSONField(default=dict)),
                ('before', models.JSONField(default=dict)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DeskAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.CharField(choices=[('asked', 'Not done yet'), ('done', 'Done'), ('left', 'Left as it was'), ('failed', 'Failed'), ('undone', 'Taken back')], default='done', max_length=10)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('why', models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name='DeskRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(max_length=20)),
                ('query', models.TextField(blank=True)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('arguments', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='waiting', max_length=10)),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('left', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('deliveries', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'run over many exceptions',
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('query', models.CharField(blank=True, max_length=1000)),
                ('team', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='syncexception',
            name='former',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='later', to='integrations.syncexception'),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='returned',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='snooze_limit',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='snoozed_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='waiting_count',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='waiting_value',
            field=models.DecimalField(db_default=0, decimal_places=3, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='waiting_values',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='syncexception',
            name='weighed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', True), ('state', 'open')), fields=['-last_seen'], name='exception_shown'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', True), ('state', 'open')), fields=['-waiting_value', '-waiting_count', '-id'], name='exception_by_value'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', True), ('state', 'open')), fields=['-first_seen'], name='exception_new'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', True), ('state', 'open')), fields=['assignee', '-last_seen'], name='exception_of_person'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', True), ('state', 'open'), ('returned__gt', 0)), fields=['-last_seen'], name='exception_returned'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', False), ('state', 'open')), fields=['snoozed_until'], name='exception_snoozed'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(models.OrderBy(models.F('weighed_at'), nulls_first=True), condition=models.Q(('flow__isnull', False), ('state', 'open')), name='exception_to_weigh'),
        ),
        migrations.AddIndex(
            model_name='syncexception',
            index=models.Index(condition=models.Q(('state', 'open'), _negated=True), fields=['flow', 'kind', 'subject', '-id'], name='exception_former'),
        ),
        migrations.AddField(
            model_name='correction',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='correction',
            name='delivery',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='integrations.delivery'),
        ),
        migrations.AddField(
            model_name='deskact',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='deskact',
            name='exception',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='desk_acts', to='integrations.syncexception'),
        ),
        migrations.AddField(
            model_name='deskrun',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='deskrun',
            name='takes_back',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='taken_back', to='integrations.deskrun'),
        ),
        migrations.AddField(
            model_name='deskact',
            name='run',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='integrations.deskrun'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='deskrun',
            index=models.Index(fields=['-created_at'], name='desk_run_latest'),
        ),
        migrations.AddIndex(
            model_name='deskrun',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['id'], name='desk_run_under_way'),
        ),
        migrations.AddIndex(
            model_name='deskact',
            index=models.Index(condition=models.Q(('run__isnull', True)), fields=['by', '-id'], name='desk_act_of_person'),
        ),
        migrations.AddIndex(
            model_name='deskact',
            index=models.Index(condition=models.Q(('run__isnull', False)), fields=['run', 'state', 'id'], name='desk_act_of_run'),
        ),
        migrations.AddIndex(
            model_name='savedview',
            index=models.Index(condition=models.Q(('team', ''), _negated=True), fields=['team'], name='saved_view_of_team'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='one_saved_view_per_name'),
        ),
    ]
