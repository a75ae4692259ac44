"""Two profiles made one: shown side by side, merged by Ometria's own job, which cannot be undone."""

from __future__ import annotations

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Refused
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.survey import PersonView

# own fields of a profile that lead to it alone, the most trusted first (merge profiles page); a profile without any is named by its id
NAMED_BY = (("customer_id", "customer_id"), ("email", "email_address"))
BY_ID = "profile_hash"
DONE = frozenset({"completed", "complete", "done", "finished", "success"})
FAILED = frozenset({"failed", "error", "rejected"})
PERSONAL = {"name": "Name", "email": "E-mail", "phone_number": "Phone", "date_of_birth": "Born"}
PLAIN = {"customer_id": "Customer id", "country": "Country", "lifecycle_status": "Life cycle"}
CONSENT = {True: "Subscribed", False: "Unsubscribed"}
NEVER = "Never said"


class OmetriaMerging:
    """Profiles as Ometria shows them now, and its merge job."""

    def view(self, client: OmetriaClient, key: str) -> PersonView | None:
        """The profile in the words of the console, None when Ometria has none of that id."""
        profile = client.profile(key)
        if profile is None:
            return None
        stats, dates = _part(profile, "stats"), _part(profile, "dates")
        facts = {label: str(profile[field]) for field, label in PLAIN.items() if profile.get(field)}
        facts["E-mail consent"] = CONSENT.get(profile.get("marketing_optin"), NEVER)
        facts["Orders"], facts["Revenue"] = str(stats.get("orders", 0)), str(stats.get("revenue", 0))
        for field, label in (("acquired", "Known since"), ("last_purchase", "Last order")):
            if dates.get(field):
                facts[label] = str(dates[field])[:10]
        return PersonView(
            key=key,
            facts=facts,
            personal={label: str(profile[field]) for field, label in PERSONAL.items() if profile.get(field)},
            empty=not (profile.get("email") or profile.get("customer_id") or stats.get("orders")),
        )

    def ask(self, client: OmetriaClient, survivor: str, merged: str) -> str:
        """The id of the job. Raises Refused when one of the two is gone or the answer names no job, SlowDown within a minute of another."""
        names = []
        for key in (survivor, merged):
            profile = client.profile(key)
            if profile is None:
                raise Refused(f"Ometria has no profile {key} any more", status=404, code="gone")
            names.append(_name(profile, key))
        answer = client.merge_profiles(names[0], names[1:])
        job = str(answer.get("job_id") or answer.get("id") or "")
        if not job:
            raise Refused("Ometria answered the merge without naming its job", code="no_job")
        return job

    def is_done(self, client: OmetriaClient, job: str) -> bool:
        """Whether the job has ended; raises Refused when it failed."""
        found = client.merge_job(job)
        status = str((found or {}).get("status") or "").lower()
        if status in FAILED:
            raise Refused(f"Ometria's merge job ended with {status}", code=status)
        return found is None or status in DONE


def _name(profile: JsonObject, key: str) -> JsonObject:
    """How a merge names a profile: by what belongs to it alone."""
    owned = {str(entry.get("id")) for entry in profile.get("identities") or () if isinstance(entry, dict)}
    for field, kind in NAMED_BY:
        value = profile.get(field)
        if value and str(value) in owned:
            return {"type": kind, "value": str(value)}
    return {"type": BY_ID, "value": key}


def _part(profile: JsonObject, name: str) -> JsonObject:
    part = profile.get(name)
    return part if isinstance(part, dict) else {}
