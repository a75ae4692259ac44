"""Settings and secrets of the doors: what the connection form asks for each way that events can come.

A subscription of commercetools sends to a queue of Google, Amazon or Microsoft, which pushes to an address of ours
(`/hooks/commercetools/<project key>/<way>/`); without one, messages are read every minute.
"""

from __future__ import annotations

from integrations.platforms.base import Account, Setting

GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v3/certs"
SHORTEST_KEY = 16  # characters; a shorter door key opens nothing
DOOR_KEYS = ("door_key", "door_key_previous")
NOWHERE, PUBSUB, SNS, EVENT_BRIDGE, EVENT_GRID = "none", "GoogleCloudPubSub", "SNS", "EventBridge", "EventGrid"
DESTINATIONS = (
    (NOWHERE, "None: messages are read every minute"),
    (PUBSUB, "Google Cloud Pub/Sub"),
    (SNS, "Amazon SNS"),
    (EVENT_BRIDGE, "Amazon EventBridge"),
    (EVENT_GRID, "Azure Event Grid"),
)

DOOR_SECRETS = (
    Setting(name="door_key", label="Key of the door", kind="secret",
            help="For Azure Event Grid and Amazon EventBridge: at least 16 random characters of your own, which their calls must carry."),
    Setting(name="door_key_previous", label="Previous key of the door", kind="secret",
            help="Accepted beside the new one while it is being changed; remove it afterwards."),
    Setting(name="event_grid_access_key", label="Access key of the Event Grid topic", kind="secret",
            help="Only to create the subscription from here; commercetools publishes to your topic with it."),
)  # fmt: skip

DOOR_SETTINGS = (
    Setting(name="subscription_destination", label="Where commercetools sends events", kind="choice", default=NOWHERE, choices=DESTINATIONS,
            help="The queue is yours and must exist. Save, then press Check webhooks: it is created, with a test notification."),
    Setting(name="subscription_keys", label="Keys of the subscriptions to watch", kind="list",
            help="Of subscriptions that were made elsewhere. Empty: the one that is created from here."),
    Setting(name="pubsub_topic", label="Pub/Sub topic",
            help="projects/<project>/topics/<topic>. Let subscriptions@commercetools-platform.iam.gserviceaccount.com publish to it, and "
                 "give it a push subscription to /hooks/commercetools/<project key>/pubsub/ with authentication."),
    Setting(name="pubsub_audience", label="Audience of Pub/Sub's token",
            help="As entered at the push subscription, usually the address it pushes to."),
    Setting(name="pubsub_email", label="Account that pushes", help="E-mail of the service account chosen at the push subscription."),
    Setting(name="google_certs_url", label="Address of Google's signing keys", default=GOOGLE_CERTS,
            help="Leave as it is; a stand-in on this machine may be named instead."),
    Setting(name="sns_topic_arn", label="ARN of the SNS topic",
            help="Let arn:aws:iam::362576667341:user/subscriptions publish to it, and subscribe "
                 "/hooks/commercetools/<project key>/sns/ to it over HTTPS, without raw message delivery. It is confirmed by itself."),
    Setting(name="sns_certificate_hosts", label="Hosts of SNS certificates", kind="list",
            help="Empty: Amazon's own. A stand-in on this machine may be named with its port."),
    Setting(name="eventbridge_account", label="AWS account of EventBridge",
            help="Number of the account. A rule on its partner event bus calls /hooks/commercetools/<project key>/eventbridge/ as an API "
                 "destination, with the key of the door in the header X-Switchyard-Key."),
    Setting(name="eventbridge_region", label="AWS region of EventBridge", help="For example eu-central-1."),
    Setting(name="event_grid_uri", label="Endpoint of the Event Grid topic",
            help="It must take CloudEvents 1.0. Its webhook subscription calls /hooks/commercetools/<project key>/eventgrid/?key=<key "
                 "of the door>, at most 1000 events in a batch."),
    Setting(name="catalogue_wait_seconds", label="Seconds that hints about products wait for each other", kind="number", default=30),
)  # fmt: skip
_DEFAULTS = {setting.name: setting.default for setting in DOOR_SETTINGS}


def door_setting(account: Account, name: str) -> str:
    """A text setting, its default when it is empty."""
    return str(account.settings.get(name) or _DEFAULTS[name] or "").strip()


def door_list(account: Account, name: str) -> tuple[str, ...]:
    """A list setting; one text counts as its only entry."""
    value = account.settings.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(str(part).strip() for part in value if str(part).strip())


def door_number(account: Account, name: str, *, least: float) -> float:
    """A number setting, its default when it is none, and never below `least`."""
    try:
        number = float(account.settings.get(name, _DEFAULTS[name]))
    except (TypeError, ValueError):
        number = float(_DEFAULTS[name])
    return max(least, number) if number == number else float(_DEFAULTS[name])  # NaN is no number of seconds


def door_keys(account: Account) -> tuple[str, ...]:
    """Keys that open the door now: the present one and, during a change, the one before."""
    held = (account.secrets.get(name, "") for name in DOOR_KEYS)
    return tuple(key for key in held if len(key) >= SHORTEST_KEY)
