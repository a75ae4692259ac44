"""The plumbing of the stand-ins over real HTTP: routing, faults, ledger, keep-alive."""

import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from integrations.standins.clock import Clock
from integrations.standins.control import shared_control
from integrations.standins.faults import Fault, Faults, fault_from_json
from integrations.standins.ledger import Ledger, digest_of
from integrations.standins.server import StandInServer
from integrations.standins.wire import Request, Response, json_response


class Echo:
    """Answers with what it was asked and notes each call in its ledger."""

    slug = "echo"

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.faults = Faults()
        self.closed = False

    def handle(self, request: Request) -> Response:
        if request.path == "/defect":
            raise RuntimeError("broken on purpose")
        self.ledger.append("call", request.path, {"body": request.body.decode()})
        return json_response(
            {
                "method": request.method,
                "path": request.path,
                "segments": request.segments(),
                "query": dict(request.query),
                "content_type": request.headers.get("content-type"),
                "key": request.headers.get("x-demo-key"),
                "body": request.body.decode(),
            }
        )

    def control(self, request: Request) -> Response:
        return shared_control(self, request) or json_response({"own": request.path}, 418)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def base(echo: Echo) -> Iterator[str]:
    with StandInServer([echo]) as server:
        yield server.url("echo")


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def test_request_reaches_the_stand_in_with_prefix_stripped(base, http):
    headers = {"X-Demo-Key": "k", "Content-Type": "text/plain"}
    answer = http.post(f"{base}/a/optin%3Asms/x%2Fy?q=1%2B1&empty=", data=b"hello", headers=headers)

    assert answer.status_code == 200
    assert answer.json() == {
        "method": "POST",
        "path": "/a/optin:sms/x/y",
        "segments": ["a", "optin:sms", "x/y"],
        "query": {"q": "1+1", "empty": ""},
        "content_type": "text/plain",
        "key": "k",
        "body": "hello",
    }


def test_answers_carry_the_time_of_the_machine(base, http):
    sent = parsedate_to_datetime(http.get(f"{base}/x").headers["Date"])

    assert abs(sent.timestamp() - time.time()) < 5


def test_one_connection_serves_many_requests(base):
    host, port = base.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as stream:
        for number in range(3):
            connection.sendall(f"GET /echo/{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(iter(lambda: tuple(stream.readline().decode().strip().split(": ")) or ("",), ("",)))
            assert f'"path":"/{number}"' in stream.read(int(headers["Content-Length"])).decode()


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"POST /echo/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 411 Length Required\r\n"),
        (b"POST /echo/ HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"POST /echo/ HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"HTTP/1.1 413 Content Too Large\r\n"),
    ],
)
def test_request_that_is_not_http_is_refused(base, sent, line):
    host, port = base.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as stream:
        connection.sendall(sent)
        assert stream.readline() == line


def test_unknown_slug_is_answered_with_the_known_ones(base, http):
    answer = http.get(base.replace("/echo", "/nobody/x"))

    assert (answer.status_code, answer.json()) == (404, {"error": "No stand-in at /nobody", "stand_ins": ["echo"]})


def test_defect_of_a_stand_in_is_a_logged_500(base, http, caplog):
    answer = http.get(f"{base}/defect")

    assert answer.status_code == 500
    assert "broken on purpose" in caplog.text


def test_status_fault_answers_without_processing_and_ends_after_its_times(base, http, echo):
    http.post(f"{base}/_control/faults", json={"kind": "status", "status": 429, "retry_after": "7", "times": 2, "path": "/push"})

    answers = [http.get(f"{base}{path}") for path in ("/push", "/other", "/push", "/push")]

    assert [answer.status_code for answer in answers] == [429, 200, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["status"] == "ERROR"
    assert [effect.key for effect in echo.ledger.effects()] == ["/other", "/push"]


def test_html_fault_answers_a_page_without_processing(base, http, echo):
    echo.faults.add(Fault("html"))

    answer = http.get(f"{base}/x")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert echo.ledger.counts() == {}


def test_latency_fault_answers_late_but_processes(base, http, echo):
    echo.faults.add(Fault("latency", seconds=0.2))

    begun = time.monotonic()
    answer = http.get(f"{base}/x")

    assert answer.status_code == 200
    assert time.monotonic() - begun >= 0.2
    assert echo.ledger.counts() == {"call": 1}


def test_truncate_fault_processes_and_cuts_the_answer(base, http, echo):
    echo.faults.add(Fault("truncate"))

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http.get(f"{base}/x")

    assert echo.ledger.counts() == {"call": 1}
    assert http.get(f"{base}/y").status_code == 200


def test_reset_after_accept_processes_and_drops_the_connection(base, http, echo):
    echo.faults.add(Fault("reset_after_accept"))

    with pytest.raises(requests.exceptions.ConnectionError):
        http.post(f"{base}/x", data=b"kept")

    assert [(effect.key, effect.payload) for effect in echo.ledger.effects("call")] == [("/x", {"body": "kept"})]
    assert http.get(f"{base}/y").status_code == 200


def test_expire_token_is_left_to_the_stand_in(base, http, echo):
    fault = Fault("expire_token")
    echo.faults.add(fault)

    assert http.get(f"{base}/x").status_code == 200
    assert echo.faults.take(Request("GET", "/x"), {"expire_token"}) == fault
    assert echo.faults.pending() == []


def test_fault_hits_each_nth_matching_call_until_cleared():
    faults = Faults()
    faults.add(Fault("status", path="/push", every=3, times=0))

    hits = [faults.take(Request("POST", "/push")) is not None for _ in range(7)]
    faults.clear()

    assert hits == [False, False, True, False, False, True, False]
    assert faults.take(Request("POST", "/push")) is None


def test_fault_can_be_limited_to_a_piece_of_the_body():
    faults = Faults()
    faults.add(Fault("status", body="orderUpdate"))

    assert faults.take(Request("POST", "/graphql", body=b"query { shop }")) is None
    assert faults.take(Request("POST", "/graphql", body=b"mutation { orderUpdate }")) == Fault("status", body="orderUpdate")


@pytest.mark.parametrize(
    "raw",
    [[], {}, {"kind": "explode"}, {"kind": "status", "colour": 1}, {"kind": "status", "times": -1}, {"kind": "status", "every": 0}],
)
def test_fault_that_makes_no_sense_is_a_value_error(raw):
    with pytest.raises(ValueError, match="fault"):
        fault_from_json(raw)


def test_control_lists_ledger_counts_and_faults(base, http):
    http.post(f"{base}/a", data=b"1")
    http.post(f"{base}/b", data=b"2")
    refused = http.post(f"{base}/_control/faults", data=b"{")
    ordered = http.post(f"{base}/_control/faults", json={"kind": "latency", "seconds": 9})
    listed = http.get(f"{base}/_control/faults")
    cleared = http.delete(f"{base}/_control/faults")
    ledger = http.get(f"{base}/_control/ledger?kind=call&key=/b").json()

    assert (refused.status_code, ordered.status_code, cleared.json()) == (400, 201, [])
    assert [fault["seconds"] for fault in listed.json()] == [9]
    assert http.get(f"{base}/_control/faults").json() == []
    assert http.get(f"{base}/_control/counts").json() == {"call": 2}
    at = ledger[0].pop("at")
    assert ledger == [{"seq": 2, "kind": "call", "key": "/b", "digest": digest_of({"body": "2"}), "payload": {"body": "2"}}]
    assert abs(at - time.time()) < 60


def test_own_control_call_gets_the_path_after_control(base, http):
    answer = http.get(f"{base}/_control/state")

    assert (answer.status_code, answer.json()) == (418, {"own": "/state"})


def test_ledger_without_payloads_keeps_digests_that_ignore_key_order():
    ledger = Ledger(keep_payloads=False, now=lambda: 5.0)
    first = ledger.append("order", "1", {"a": 1, "b": 2})
    second = ledger.append("order", "1", {"b": 2, "a": 1})
    ledger.append_packed("order", "1", b'{"a":1}', "of-what-was-sent")
    third = ledger.effects()[-1]

    assert first.digest == second.digest
    assert (third.seq, third.digest, third.at, third.payload) == (3, "of-what-was-sent", 5.0, {})
    ledger.clear()
    assert (ledger.effects(), ledger.counts()) == ([], {})


def test_ledger_keeps_payloads_as_they_were_when_noted():
    ledger = Ledger(now=lambda: 5.0)
    payload = {"status": "paid"}
    ledger.append("order", "1", payload)
    ledger.append_packed("order", "2", b'{"status":"open"}', "x")
    payload["status"] = "changed later"

    assert [(effect.key, effect.payload) for effect in ledger.effects("order")] == [("1", {"status": "paid"}), ("2", {"status": "open"})]


def test_clock_moves_ahead_and_never_back():
    clock = Clock()
    before = clock.now()
    clock.advance(3600)

    assert 3600 <= clock.now() - before < 3601
    assert abs(clock.utc().timestamp() - clock.now()) < 1
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


def test_stop_closes_stand_ins_and_delayed_calls(echo):
    echo.faults.add(Fault("latency", seconds=60))
    server = StandInServer([echo])
    server.start()
    address = server.url("echo").removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(b"GET /echo/x HTTP/1.1\r\n\r\n")
        while not echo.ledger.counts():
            time.sleep(0.01)
        begun = time.monotonic()
        server.stop()
        server.stop()

    assert time.monotonic() - begun < 5
    assert echo.closed
