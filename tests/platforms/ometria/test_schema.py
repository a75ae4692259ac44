"""The tables of target fields and settings hold together."""

import pytest

from integrations.platforms.base import Account, Unpaced
from integrations.platforms.errors import Misconfigured, Reconnect
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.options import Options
from integrations.platforms.ometria.outgoing import outgoing
from mapping.records import RecordType


@pytest.mark.parametrize("record_type", list(PLATFORM.targets))
def test_target_paths_are_unique_and_labelled(record_type):
    targets = PLATFORM.targets[record_type]

    assert len({target.path for target in targets}) == len(targets)
    assert all(target.label for target in targets)


def test_the_platform_has_a_writer_and_targets_for_every_record_type_of_the_routes():
    # figures are kept for reports, of nobody in particular; consent goes to Ometria with the people themselves
    sent = set(RecordType) - {RecordType.FIGURES, RecordType.CONSENT}
    assert set(PLATFORM.writers) == set(PLATFORM.targets) == sent


def test_settings_default_where_the_form_left_them_empty():
    assert Options.of({"push_rate": "", "read_rate": "8", "phone_identifier": None, "unknown": 1}) == Options(read_rate=8.0)


def test_the_form_and_the_options_name_the_same_settings_and_defaults():
    shown = {setting.name: setting.default for setting in PLATFORM.settings if setting.default is not None}

    assert {name: getattr(Options(), name) for name in shown} == shown
    assert {setting.name for setting in PLATFORM.settings} == set(Options.__dataclass_fields__)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"push_rate": "fast"}, '"Pushes a second" must be a number.'),
        ({"read_rate": -1}, '"Reads a second" must be zero or more.'),
        ({"push_rate": "nan"}, '"Pushes a second" must be zero or more.'),
        ({"discount_sign": "both"}, '"Discounts are sent" must be negative or positive.'),
        ({"errors_path": "push-errors"}, '"Path of the push errors" must begin with a slash, like /push/_errors.'),
    ],
)
def test_settings_that_cannot_work_are_said_in_one_sentence(settings, message):
    with pytest.raises(Misconfigured) as raised:
        Options.of(settings)

    assert str(raised.value) == message


def test_a_connection_without_a_key_asks_to_be_reconnected():
    account = Account(connection_id=1, platform="ometria", external_id="demo", base_url=PLATFORM.default_base_url)

    with pytest.raises(Reconnect, match="no API key"):
        PLATFORM.connect(account, Unpaced())


def test_an_account_with_positive_discounts_gets_them_positive_and_the_payload_stays(sample):
    order = sample("order")

    sent = outgoing("order", order, Options(discount_sign="positive"))

    assert (sent["discount"], [line["discount"] for line in sent["lineitems"]]) == (5.0, [5.0, 0])
    assert order == sample("order")


def test_an_order_without_a_store_gets_the_default_store(sample):
    options = Options(default_store="example.com/uk")

    assert outgoing("order", sample("order", store=""), options)["store"] == "example.com/uk"
    assert outgoing("order", sample("order"), options)["store"] == "demo-shop.example.com"


@pytest.mark.parametrize(("enabled", "sent"), [(False, {"id": "1"}), (True, {"id": "1", "phone_number": "+442079460018"})])
def test_an_order_names_the_phone_only_where_phones_identify(sample, enabled, sent):
    order = sample("order", customer={"id": "1", "phone_number": "+442079460018"})

    assert outgoing("order", order, Options(phone_identifier=enabled))["customer"] == sent


def test_sms_consent_goes_only_with_a_phone_number(sample):
    contact = sample("contact")
    without = {name: value for name, value in contact.items() if name != "phone_number"}

    assert "channels" in outgoing("contact", contact, Options())
    assert "channels" not in outgoing("contact", without, Options())
