"""What every platform room keeps to; a new platform adds samples, not tests."""

import dataclasses
from collections import Counter

import pytest

from integrations.platforms.base import Account
from integrations.platforms.registry import PLATFORMS


@pytest.mark.over("room")
def test_every_room_is_registered_under_its_slug_and_has_samples(room):
    assert PLATFORMS.get(room.platform.slug) is room.platform
    assert room.folder.name == room.platform.slug
    assert room.samples


@pytest.mark.over("room")
def test_settings_and_secrets_have_names_and_labels_of_their_own(room):
    shown = (*room.platform.secrets, *room.platform.settings)

    assert [name for name, count in Counter(setting.name for setting in shown).items() if count > 1] == []
    assert all(setting.label for setting in shown)
    assert {setting.kind for setting in room.platform.secrets} == {"secret"}
    assert "secret" not in {setting.kind for setting in room.platform.settings}


@pytest.mark.over("room")
def test_defaults_of_choices_are_among_the_choices(room):
    choices = [setting for setting in room.platform.settings if setting.kind == "choice"]

    assert [setting.name for setting in choices if setting.default not in dict(setting.choices)] == []


@pytest.mark.over("room")
def test_every_pinned_version_has_an_end(room):
    assert set(room.platform.version_ends) == set(room.platform.api_versions)


@pytest.mark.over("room")
def test_writers_have_targets_and_say_their_own_record_type(room):
    assert set(room.platform.targets) == set(room.platform.writers)
    assert {record_type: writer.record_type for record_type, writer in room.platform.writers.items()} == {
        record_type: record_type for record_type in room.platform.writers
    }


@pytest.mark.over("room")
def test_an_account_in_a_traceback_shows_no_secret(room):
    account = dataclasses.replace(room.account(), secrets={"key": "s3cr3t-value"})

    assert isinstance(account, Account)
    assert "s3cr3t-value" not in repr(account) + str(account)
