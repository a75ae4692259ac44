"""What the manual says of each kind of exception: what happened, what to do, what happens then. One entry per kind, held by a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """The manual's section of one kind: a story in plain words, the steps, the outcome, and the article that says more."""

    happened: str
    steps: tuple[str, ...]
    then: str
    more: str = ""  # slug of an article


REMEDIES: dict[str, Remedy] = {
    "unmapped_sku": Remedy(
        "Somebody bought something under a SKU that nobody has explained to Switchyard: it is in no product of the master catalogue, "
        "and no "
        "row of the SKU crosswalk translates it. An order with an unknown line is held as a whole, because half an order would be a lie.",
        (
            "Open Unmapped products. Candidates stand beside the line, best first, each with its reasons.",
            "Accept one with a click or the keys 1 to 3, search the catalogue, or put a bundle together from several SKUs.",
            "If the SKU is right and only missing in the catalogue, add the product at its source: the question closes by itself.",
            "If it is no product at all (a fee, a gift wrap), let it through as it is.",
        ),
        "Every order that waited for this SKU goes out within a minute, and later orders never ask again. An answer can be taken back.",
        "unmapped-products",
    ),
    "unmapped_value": Remedy(
        "A field is translated by a value table, for example the shop's delivery methods into yours, and the record came with a word "
        "that the "
        "table does not have.",
        (
            "Open the question: it names the table and the word.",
            "Type what the word means at the destination, or leave the target empty if nothing shall be sent for it.",
            "If a whole class of words may pass unchanged, add a row with * on both sides.",
        ),
        "All records with this word go out within a minute.",
        "value-tables",
    ),
    "missing_field": Remedy(
        "A field rule is marked as required, or the destination insists on the field, and this record has nothing there.",
        (
            "Look at the record: the question lists what waits and links to each.",
            "Fill the field at the source. The next change brings the record here again.",
            "If many records lack it, a manager gives the rule a fallback (“When empty, use …”) in a draft of the mapping.",
        ),
        "A record that was corrected goes out by itself; after a new mapping is published, held records are looked at again.",
        "mappings",
    ),
    "bad_phone": Remedy(
        "The phone number could not be read as a number that exists in the person's country, so the whole contact was held: a wrong number "
        "could reach a stranger.",
        (
            "Open the contact and look at the number. Missing country and typing errors are the usual reasons.",
            "Correct it at the source; or, if you prefer contacts without a number to contacts that wait, let the rule leave invalid "
            "numbers out.",
        ),
        "The contact goes out with the next change at the source, or at once after the rule was changed.",
        "contact-syncs",
    ),
    "bad_email": Remedy(
        "The e-mail address cannot be one that mail arrives at: no domain, a blank in it, two @ signs.",
        ("Correct the address at the source; customer service usually finds the right one in the last order.",),
        "The contact goes out with the corrected address. No second contact comes into being.",
        "contact-syncs",
    ),
    "bad_value": Remedy(
        "A rule tried to make a number, a date or a yes/no out of something that is none.",
        (
            "The question names the field and the value. Correct the value at the source;",
            "or let a manager change the rule's steps, for example “When empty, use” or “Text” instead of “Number”.",
        ),
        "What waits is tried again as soon as the record or the mapping changes.",
        "mappings",
    ),
    "invalid_payload": Remedy(
        "The record was mapped without trouble, but the result breaks a limit of the destination, such as a text that is too long. It "
        "was not "
        "sent, because the destination would have thrown away the whole batch.",
        (
            "The question names the field and the limit.",
            "Shorten the text at the source, or add the step “Cut to a length” to the rule.",
        ),
        "What waits is tried again as soon as the record or the mapping changes.",
        "mappings",
    ),
    "no_mapping": Remedy(
        "The flow is switched on, but nobody has published rules for it, so there is nothing to send by.",
        (
            "Open Mappings, choose the flow and publish its draft; there is a default for every flow.",
            "If the flow shall not run yet, switch it off on its page: records are kept until then.",
        ),
        "Everything that waited is mapped and sent.",
        "mappings",
    ),
    "ambiguous_contact": Remedy(
        "What we know of the customer speaks for more than one contact: the e-mail address belongs to one and the phone to another, or a "
        "family shares a number. Guessing would put one person's orders under another's name, so nothing was sent.",
        (
            "Open the question: the contacts stand side by side with what speaks for each.",
            "Choose the one that is this person, or “a new contact”.",
            "When the same person really has two contacts there, have them merged as well: see Duplicates.",
        ),
        "The choice is remembered for every later record of this customer, and everything that waited goes out.",
        "masking-and-identity",
    ),
    "missing_link": Remedy(
        "This record belongs to another one, such as a refund to its order, and the other one has not arrived at the destination for a "
        "day.",
        (
            "Open the record it waits for: the question links to it.",
            "Settle what holds that one; or, if it never came, let a backfill bring the day it was made.",
        ),
        "As soon as the other record is delivered, this one follows by itself.",
        "deliveries",
    ),
    "orphaned_events": Remedy(
        "Visitors of your own site looked at things and left without ever saying who they are. Nobody knows whose events these were, so "
        "they "
        "were not sent. One line counts them per day.",
        (
            "A few are normal; ignore the question.",
            "If there are many, ask your developers to call identify where visitors sign in, subscribe or check out.",
        ),
        "Nothing is held up. Events of visitors who give a name later the same day do go out, with the time they happened.",
        "collector",
    ),
    "no_profile": Remedy(
        "A purchase was to be told of a person whom the destination has no profile of. It would have been swallowed without a word.",
        (
            "See whether the contact is held: Failed contact syncs, search for the same order.",
            "Bring the contact there first, then press “Try what waits again” on the question.",
            "If you do not market to these people (guests without an address, for example), ignore it with that reason.",
        ),
        "The event goes out as soon as the profile exists and somebody tries again.",
        "contact-syncs",
    ),
    "refused": Remedy(
        "The destination looked at the record and said no. Its own words are on the question.",
        (
            "Read the message; it usually names a field.",
            "Correct the record at the source, or the rule that fills the field.",
            "Press “Try what waits again”.",
        ),
        "Each retry is kept with its answer on the delivery's page. The rest of the batch was not affected.",
        "deliveries",
    ),
    "exhausted": Remedy(
        "The destination kept failing in passing, with time-outs or “busy”, and after the last try Switchyard stopped asking by itself.",
        (
            "Look at the connection's page and make a test call; look at the platform's status page.",
            "When it answers again, press “Try what waits again” on the question.",
        ),
        "All that waited goes out at the pace the platform allows. Nothing is sent twice: the destination knows each record by its id.",
        "connections",
    ),
    "internal": Remedy(
        "Switchyard itself met a record it could not handle. This is a fault of the program and not of your data. Everything else goes on.",
        (
            "Copy the message of the question and send it, with the record's key, to whoever maintains this installation.",
            "After the repair press “Try what waits again”.",
        ),
        "The record is kept as it was, so nothing is lost however long the repair takes.",
    ),
    "unparsable": Remedy(
        "A message arrived with a good signature, but it does not have the form that its platform documents. It is kept exactly as it "
        "came.",
        (
            "Open the inbox event and read the reason. For your own site it is often a misspelt field name.",
            "After the repair press “Process again” on the event's page.",
        ),
        "The record takes its place by its own time: a newer one that arrived meanwhile is not overwritten.",
        "deliveries",
    ),
    "message_gap": Remedy(
        "The source numbers its messages about each thing. Some numbers never came, so Switchyard read the thing itself again, and that "
        "failed several times.",
        (
            "Open the inbox event and read the reason; often the source was away or a permission is missing.",
            "Then press “Process again” on the event's page.",
        ),
        "The thing is read as it is now, so a missing message costs nothing once that works. Polling looks for changes as well.",
        "deliveries",
    ),
    "needs_auth": Remedy(
        "The platform does not accept the connection's credentials any more: a key was withdrawn, a consent ended, or the app was removed.",
        (
            "Open the connection. Where there is a button “Connect at …”, press it and agree as the shop's owner.",
            "Otherwise store a new key under Secrets.",
            "Make a test call.",
        ),
        "Deliveries were kept and go out at once; polling reads again from where it stopped, so nothing is missing.",
        "connections",
    ),
    "grant_ends": Remedy(
        "The consent that this connection works with has an end, and the end is near. Everything still works today.",
        ("Open the connection, press “Connect at …” and agree again as the seller, before the day that the question names.",),
        "The question closes by itself. If the day passes, deliveries are kept until somebody agrees again.",
        "connections",
    ),
    "platform_down": Remedy(
        "Several calls in a row failed, so Switchyard stopped calling and only looks now and then whether the platform is back. One alarm "
        "stands for all records.",
        ("Look at the platform's status page. There is nothing to press here.",),
        "With the first good answer everything goes on by itself, oldest live changes first.",
        "health",
    ),
    "version_drift": Remedy(
        "We asked for one version of the platform's interface and another one answered. That happens when a version is too old.",
        ("On the connection's page choose a version from the list and make a test call.",),
        "Records keep flowing meanwhile; fields that changed between the versions may be missing until then.",
        "connections",
    ),
    "missing_subscription": Remedy(
        "The platform no longer tells us about some kind of change, and asking it to was refused.",
        (
            "Read the platform's reason on the question; usually the app lacks a permission.",
            "Grant it there, then press “Check webhooks” on the connection's page.",
        ),
        "Meanwhile polling brings the same changes, only some minutes later. Nothing is lost.",
        "connections",
    ),
    "privacy_overdue": Remedy(
        "Somebody asked for their data or for its erasure, by a platform's message or through this console. The law gives 30 days, and the "
        "last week of them has begun while the request is still open.",
        (
            "Open Privacy and the request that the title names: it says what it waits for.",
            "A file that is ready has to be handed over: download it, give it to whoever asked, and press “Handed over”.",
            "An erasure that waits for a platform goes on by itself; one that stopped goes on with “Go on”.",
        ),
        "The question closes by itself when the request is done.",
        "privacy",
    ),
    "stale_consent": Remedy(
        "Once a day Switchyard holds what people stated last against what every platform last told, or was last sent. This platform holds "
        "something else of the people on the list: it may write to somebody who said no, or leave out somebody who said yes.",
        (
            "Press “See the people”: each line says what stands and what the platform holds, and opens the whole chain of statements.",
            "Press “Send all again”, or “Send again” on one line.",
            "If the same people come back a day later, open one of them: the page says what is in the way.",
        ),
        "What was sent again is looked at every minute. The question closes by itself when the platform holds what stands.",
        "consent",
    ),
    "backfill_failed": Remedy(
        "Reading from the source failed several times in a row. A backfill stopped at the page it had reached; a poll goes on trying.",
        (
            "Read the message: a missing permission and a time-out need different things.",
            "For a backfill press “Resume” on its page.",
        ),
        "It goes on exactly where it stopped. Reading a page twice changes nothing.",
        "backfill",
    ),
}
