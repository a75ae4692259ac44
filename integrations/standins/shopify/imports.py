"""Bulk imports: a file of variables is staged by a form, then one mutation is run for each of its lines."""

from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes
from typing import Any, BinaryIO

import orjson
from graphql.execution.values import get_variable_values

from integrations.standins.shopify.bulk import BulkOperation, launch
from integrations.standins.shopify.execute import run
from integrations.standins.shopify.resolvers import Call
from integrations.standins.shopify.schema import Operation, document_of, error_of, schema_of
from integrations.standins.shopify.shops import Shop

# fields of the form, in this order, before the file
PARAMETERS = ("key", "Content-Type", "success_action_status", "acl", "policy")
Fault = dict[str, Any]


def stage(shop: Shop, wishes: Sequence[Mapping[str, Any]], base_url: str) -> tuple[list[dict[str, Any]] | None, list[Fault]]:
    """Where and how to send files of variables, or what is wrong with the request."""
    targets = []
    for index, wish in enumerate(wishes):
        if (wish["resource"], wish["httpMethod"], wish["mimeType"]) != ("BULK_MUTATION_VARIABLES", "POST", "text/jsonl"):
            return None, [{"field": ["input", str(index)], "message": "The stand-in stages text/jsonl of BULK_MUTATION_VARIABLES by POST."}]
        key = f"tmp/{shop.new_id('StagedUpload')}/bulk/{wish['filename']}"
        shop.uploads[key] = None
        values = {"key": key, "Content-Type": "text/jsonl", "success_action_status": "201", "acl": "private", "policy": "demo"}
        parameters = [{"name": name, "value": values[name]} for name in PARAMETERS]
        targets.append({"url": f"{base_url}/staged", "resourceUrl": None, "parameters": parameters})
    return targets, []


def receive(shop: Shop, content_type: str, body: bytes) -> str:
    """Take a staged file; the code of what is wrong with the form, empty when nothing is."""
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not form.is_multipart():
        return "MalformedPOSTRequest"
    parts = [(str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)) for part in form.get_payload()]
    if [name for name, _ in parts] != [*PARAMETERS, "file"]:
        return "InvalidPolicyDocument"
    key = parts[0][1].decode()
    if key not in shop.uploads:
        return "AccessDenied"
    shop.uploads[key] = parts[-1][1]
    return ""


def start(shop: Shop, text: str, path: str, version: str) -> tuple[BulkOperation | None, list[Fault]]:
    """Begin an import, or say why not as user errors."""
    document = document_of(version, text)
    operations = list(document.operations.values())
    if document.errors or len(operations) != 1 or not operations[0].mutation:
        message = "; ".join(error["message"] for error in document.errors) or "Exactly one mutation is needed."
        return None, [{"field": ["mutation"], "message": message, "code": "INVALID_MUTATION"}]
    uploaded = shop.uploads.get(path)
    if uploaded is None:
        message = "The JSONL file could not be found. Try uploading the file again."
        return None, [{"field": ["stagedUploadPath"], "message": message, "code": "NO_SUCH_FILE"}]
    call = Call(shop, version)
    return launch(shop, text, lambda file: _write_results(operations[0], uploaded, call, file), kind="MUTATION", call=call)


def _write_results(operation: Operation, uploaded: bytes, call: Call, file: BinaryIO) -> Iterator[tuple[int, int]]:
    """One result line for each line of variables, with its number from zero."""
    lines = uploaded.splitlines()
    for number, line in enumerate(lines):
        file.write(orjson.dumps({**_result(operation, line, call), "__lineNumber": number}) + b"\n")
        yield number + 1, number + 1


def _result(operation: Operation, line: bytes, call: Call) -> dict[str, Any]:
    try:
        variables = orjson.loads(line)
    except ValueError:
        return {"errors": [{"message": "The line is not JSON.", "extensions": {"code": "INVALID_VARIABLE"}}]}
    coerced = get_variable_values(schema_of(call.version), operation.node.variable_definitions or (), variables)
    if isinstance(coerced, list):
        return {"errors": [error_of(error, "INVALID_VARIABLE") for error in coerced]}
    own = Call(call.shop, call.version, variables=coerced)
    with call.shop.lock:
        data = run(operation.selection, own)
    return {"data": data, "errors": own.errors} if own.errors else {"data": data}
