"""Merging profiles and erasing people: asked for now, done when due, irreversible."""

from collections.abc import Mapping
from uuid import uuid4

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account, Job
from integrations.standins.ometria.moments import iso
from integrations.standins.ometria.profiles import Profile
from integrations.standins.ometria.reads import NOT_FOUND, Query
from integrations.standins.ometria.replies import error
from integrations.standins.wire import Request, Response, json_response

MAX_MERGED = 5  # Ometria Data API v2, merge-profile
MAX_OPEN_MERGES = 1_000
KINDS = {"customer_id": "customer_id", "email_address": "email", "phone_number": "phone"}


def ask_merge(account: Account, request: Request) -> Response:
    """Queue a merge of up to five profiles into a survivor."""
    asked = _body(request)
    merged = asked.get("customers_to_merge")
    if not _identifies(asked.get("survivor")) or not isinstance(merged, list) or not 1 <= len(merged) <= MAX_MERGED:
        return error(400, f"survivor and 1 to {MAX_MERGED} customers_to_merge are needed, each with type and value")
    if not all(map(_identifies, merged)):
        return error(400, "customers_to_merge need type and value")
    if sum(job.completed is None for job in account.merges.values()) >= MAX_OPEN_MERGES:
        return error(429, "Too many open merge jobs")
    job = _job(account, asked, account.settings.merge_delay)
    account.merges[job.id] = job
    run_due_jobs(account)
    return json_response(_shown_merge(job), 202)


def merges(account: Account, query: Query) -> Response:
    """All merge jobs."""
    return json_response([_shown_merge(job) for job in account.merges.values()])


def merge(account: Account, query: Query, job_id: str) -> Response:
    """One merge job."""
    job = account.merges.get(job_id)
    return json_response(_shown_merge(job)) if job else error(404, NOT_FOUND)


def ask_deletion(account: Account, request: Request) -> Response:
    """Note a person's wish to be erased; carried out within 14 days."""
    asked = _body(request)
    if not isinstance(asked.get("email"), str) or "@" not in asked["email"]:
        return error(400, "email is needed")
    job = _job(account, asked, account.settings.deletion_delay)
    account.deletions[job.id] = job
    account.note("deletion", asked["email"].strip().lower(), {**asked, "id": job.id})
    run_due_jobs(account)
    return json_response(_shown_deletion(job), 202)


def deletions(account: Account, query: Query) -> Response:
    """All requests for erasure."""
    return json_response([_shown_deletion(job) for job in account.deletions.values()])


def deletion(account: Account, query: Query, job_id: str) -> Response:
    """One request for erasure."""
    job = account.deletions.get(job_id)
    return json_response(_shown_deletion(job)) if job else error(404, NOT_FOUND)


def run_due_jobs(account: Account) -> None:
    """Carry out what is due; the caller holds the lock."""
    now = account.clock.now()
    for jobs, carry_out in ((account.merges, _merge), (account.deletions, _erase)):
        for job in jobs.values():
            if job.completed is None and job.due <= now:
                job.completed = job.due
                carry_out(account, job)


def _merge(account: Account, job: Job) -> None:
    """Listings of the merged profiles are deleted; their orders and identifiers go to the survivor."""
    survivor = _resolve(account, job.asked["survivor"])
    if survivor is None:
        return
    found = [_resolve(account, asked) for asked in job.asked["customers_to_merge"]]
    merged = {profile.id: profile for profile in found if profile is not None and profile is not survivor}
    for profile in merged.values():
        for key in profile.listings:
            account.contacts.remove(key)
        for key in profile.orders:
            entry = account.orders.get(key)
            if entry is not None:
                entry.profile_id = survivor.id
            survivor.orders[key] = None
        account.directory.hand_over(profile, survivor)
        account.directory.remove(profile)
    account.directory.touch(survivor, job.due)
    account.note("merge", survivor.id, {"survivor": survivor.id, "merged": list(merged)})


def _erase(account: Account, job: Job) -> None:
    """Delete the listings, keep the orders without their buyer."""
    profile = account.directory.find("email", job.asked["email"].strip().lower())
    if profile is None:
        return
    for key in profile.listings:
        account.contacts.remove(key)
    for key in profile.orders:
        entry = account.orders.get(key)
        if entry is not None:
            kept = {name: value for name, value in entry.record().items() if name not in ("customer", "ip_address")}
            entry.raw, entry.profile_id, entry.email, entry.customer_id = packed(kept), None, None, None
    account.directory.remove(profile)


def _resolve(account: Account, asked: Mapping[str, str]) -> Profile | None:
    if asked["type"] == "profile_hash":
        return account.directory.profiles.get(asked["value"])
    value = asked["value"].strip().lower() if asked["type"] == "email_address" else asked["value"]
    return account.directory.find(KINDS[asked["type"]], value)  # type: ignore[arg-type]


def _identifies(asked: object) -> bool:
    if not isinstance(asked, dict) or not isinstance(asked.get("value"), str):
        return False
    return asked.get("type") == "profile_hash" or asked.get("type") in KINDS


def _body(request: Request) -> dict:
    try:
        asked = request.json()
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _job(account: Account, asked: dict, delay: float) -> Job:
    now = account.clock.now()
    return Job(str(uuid4()), now, now + delay, asked)


def _shown_merge(job: Job) -> dict:
    return {"job_id": job.id, "status": "pending" if job.completed is None else "completed", "timestamp_created": iso(job.created)}


def _shown_deletion(job: Job) -> dict:
    return {
        "id": job.id,
        "action": "delete",
        "comment": job.asked.get("comment"),
        "summary": None if job.completed is None else "Deleted",
        "user_email": None,
        "user_name": None,
        "timestamp_created": iso(job.created),
        "timestamp_completed": None if job.completed is None else iso(job.completed),
        "source": {"origin": "api", "api_request_id": job.id},
    }
