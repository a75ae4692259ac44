"""Bulk imports: a staged file of variables, one mutation for each line."""

import json
import time
from typing import Any

import pytest
import requests

from tests.standins.shopify.conftest import Caller, gid

STAGE = """mutation StageUpload($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
RUN = """mutation BulkImport($m: String!, $path: String!) { bulkOperationRunMutation(mutation: $m, stagedUploadPath: $path) {
  bulkOperation { id status } userErrors { field message code } } }"""
TAG = "mutation($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { node { id } userErrors { message } } }"
WISH = {"resource": "BULK_MUTATION_VARIABLES", "filename": "vars", "mimeType": "text/jsonl", "httpMethod": "POST"}


def target(caller: Caller) -> tuple[str, dict[str, str]]:
    answer = caller.ask(STAGE, {"input": [WISH]})["stagedUploadsCreate"]
    assert answer["userErrors"] == []
    found = answer["stagedTargets"][0]
    return found["url"], {row["name"]: row["value"] for row in found["parameters"]}


def send(url: str, fields: dict[str, str], content: bytes) -> int:
    parts = [(name, (None, value)) for name, value in fields.items()]
    return requests.post(url, files=[*parts, ("file", ("vars", content, "text/jsonl"))], timeout=5).status_code


def run(caller: Caller, path: str, text: str = TAG) -> Any:
    return caller.ask(RUN, {"m": text, "path": path})["bulkOperationRunMutation"]


def test_each_line_is_run_and_answered_with_its_number(caller: Caller, zoe: Any) -> None:
    url, fields = target(caller)
    mine = {"id": gid("Customer", zoe.id)}
    rows = [{**mine, "tags": ["imported"]}, {"id": gid("Customer", 1), "tags": ["x"]}, mine]
    assert send(url, fields, b"\n".join(json.dumps(row).encode() for row in rows)) == 201

    begun = run(caller, fields["key"])
    assert begun["userErrors"] == []
    job = begun["bulkOperation"]["id"]
    while (done := caller.run("bulk_jobs", {"id": job}, name="BulkPoll")["bulkOperation"])["status"] != "COMPLETED":
        time.sleep(0.01)

    results = [json.loads(line) for line in caller.session.get(done["url"]).text.splitlines()]
    assert (done["type"], done["objectCount"]) == ("MUTATION", "3")
    assert [result["__lineNumber"] for result in results] == [0, 1, 2]
    assert results[0]["data"] == {"tagsAdd": {"node": {"id": gid("Customer", zoe.id)}, "userErrors": []}}
    assert results[1]["data"]["tagsAdd"] == {"node": None, "userErrors": [{"message": "id is invalid"}]}
    assert results[2]["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert zoe.tags == ["imported", "vip"]


def test_the_form_wants_its_fields_in_the_given_order(caller: Caller) -> None:
    url, fields = target(caller)
    backwards = dict(reversed(fields.items()))

    assert send(url, backwards, b"{}") == 400
    assert send(url, {**fields, "key": "tmp/other"}, b"{}") == 400
    assert requests.post(url, data=b"{}", timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("text", "code"),
    [(TAG, "NO_SUCH_FILE"), ("{ shop { id } }", "INVALID_MUTATION"), ("mutation {", "INVALID_MUTATION")],
)
def test_an_import_may_be_refused(caller: Caller, text: str, code: str) -> None:
    answer = run(caller, "tmp/none", text)

    assert (answer["bulkOperation"], answer["userErrors"][0]["code"]) == (None, code)


def test_a_file_that_never_came_cannot_be_imported(caller: Caller) -> None:
    _, fields = target(caller)

    assert run(caller, fields["key"])["userErrors"][0]["code"] == "NO_SUCH_FILE"
