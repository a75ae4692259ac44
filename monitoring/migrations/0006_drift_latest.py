from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0005_reconciliation'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(fields=['-last_seen', '-id'], name='drift_latest'),
        ),
    ]
