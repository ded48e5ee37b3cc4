#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The HTTP API of rasad-desk: every route, every error, and the OpenAPI document held against what
is really said."""

import json
import socket
import time
import urllib.parse

import rig
from rig import Desk, Store, expect, raw, wait_for

JSON = {"Content-Type": "application/json"}
PHONE, LINE = "+982188776655", "DSLAM-1 eth 0/1:11"
EVIL = 'evil"</script>\x1b[31m\u202e\\'
CUT = "01TESTCUT"


def quoted(text):
    return urllib.parse.quote(text, safe="")


def town(folder):
    """A store with lines, one open incident and one that is over; and a desk."""
    store = Store(folder)
    store.put_line(LINE, PHONE)
    store.put_line("DSLAM-2 11", "+982188770002", state="DOWN", node="DSLAM-2")
    store.put_line("DSLAM-3 11", "+982188770003", node="DSLAM-3")
    store.put_card("evil", 'phone: "+982100000666"', f'subscriber: "{pb(EVIL)}"')
    rig.put_index(store.ask, "user", EVIL, "evil")
    store.put_incident(CUT, node="DSLAM-2", down=["DSLAM-2 11"])
    store.put_incident("01TESTOVER", node="DSLAM-3", state="CLEARED", recovered=["DSLAM-3 11"])
    return store, Desk(store, "--verify-every", "1").ready()


def pb(text):
    """As protoc's text format has it."""
    return "".join(f"\\{byte:03o}" for byte in text.encode())


# --- the schema ---


def resolve(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def check(document, schema, value, where="body"):
    """A validator of the part of JSON Schema that the document uses."""
    schema = resolve(document, schema)
    if "oneOf" in schema:
        errors = []
        for choice in schema["oneOf"]:
            try:
                return check(document, choice, value, where)
            except AssertionError as error:
                errors.append(str(error))
        raise AssertionError(f"{where}: none fits: {errors}")
    kind = schema.get("type")
    if kind == "object":
        assert isinstance(value, dict), f"{where}: no object: {value!r}"
        for name, part in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            assert inner, f"{where}.{name} is not in the document"
            check(document, inner, part, f"{where}.{name}")
    elif kind == "array":
        assert isinstance(value, list), f"{where}: no array: {value!r}"
        for i, part in enumerate(value):
            check(document, schema["items"], part, f"{where}[{i}]")
    elif "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r} is not in {schema['enum']}"
    else:
        types = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
        assert isinstance(value, types[kind]), f"{where}: {value!r} is no {kind}"
        assert kind == "boolean" or not isinstance(value, bool), f"{where}: {value!r} is no {kind}"
    return None


def say(desk, document, method, path, template, status, body=None, headers=None):
    """A request whose answer must be in the document, and be as it says."""
    got, _, text = desk.request(method, path, body, headers if headers is not None else (JSON if body else {}))
    expect((method, path, got), (method, path, status))
    responses = document["paths"][template][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {template}: {status} is not in the document"
    value = json.loads(text)
    check(document, responses[str(status)]["content"]["application/json"]["schema"], value, path)
    return value


def test_document(folder):
    """Every route with every answer it has; every path of the document is asked for."""
    store, desk = town(folder)
    status, headers, text = desk.request("GET", "/v1/openapi.json")
    document = json.loads(text)
    expect((status, document["openapi"][:2], headers["Content-Type"]), (200, "3.", "application/json"))
    asked = set()

    def ask(method, path, template, status, body=None, headers=None):
        asked.add((method.lower(), template))
        return say(desk, document, method, path, template, status, body, headers)

    call = {"type": "call_event", "call_id": "c1", "unix_ns": time.time_ns(), "phone": "۰۲۱-۸۸۷۷ ۰۰۰۲",
            "complaint": "OUTAGE", "reported_start_unix_ns": time.time_ns() - 10**9, "free_text": EVIL}
    match = ask("POST", "/v1/calls", "/v1/calls", 200, json.dumps(call))
    expect((match["type"], match["call_id"], match["line"], match["verdict"], match["incident_id"]),
           ("call_match", "c1", "DSLAM-2 11", "MATCHED", CUT))
    ask("POST", "/v1/calls", "/v1/calls", 400, "{")
    ask("POST", "/v1/calls", "/v1/calls", 415, json.dumps(call), {"Content-Type": "text/plain"})
    ask("POST", "/v1/calls", "/v1/calls", 413, json.dumps({**call, "free_text": "x" * 20000}))
    expect(ask("GET", "/v1/calls/c1", "/v1/calls/{call_id}", 200), match)
    ask("GET", "/v1/calls/none", "/v1/calls/{call_id}", 404)
    found = ask("GET", "/v1/subscribers/" + quoted(LINE), "/v1/subscribers/{key}", 200)
    expect([line["card"]["summary"]["line"] for line in found["lines"]], [LINE])
    assert found["lines"][0]["text_fa"] and found["lines"][0]["text_en"], found
    found = ask("GET", "/v1/subscribers/02188770002", "/v1/subscribers/{key}", 200)
    expect(found["lines"][0]["incident_ids"], [CUT])
    ask("GET", "/v1/subscribers/nobody", "/v1/subscribers/{key}", 404)
    for query, ids in (("", {CUT, "01TESTOVER"}), ("?state=open", {CUT}), ("?state=cleared", {"01TESTOVER"})):
        rows = ask("GET", "/v1/incidents" + query, "/v1/incidents", 200)["incidents"]
        expect({row["incident"]["incident_id"] for row in rows}, ids)
    ask("GET", "/v1/incidents?state=bored", "/v1/incidents", 400)
    wait_for(lambda: desk.get("/v1/incidents/" + CUT)[1]["calls"]["calls"] == 1, "a counted call")
    one = ask("GET", "/v1/incidents/" + CUT, "/v1/incidents/{incident_id}", 200)
    expect((one["calls"]["subscribers"], one["calls"]["contact_rate"], one["call_ids"]), (1, 1, ["c1"]))
    ask("GET", "/v1/incidents/none", "/v1/incidents/{incident_id}", 404)
    callbacks = "/v1/incidents/{incident_id}/callbacks"
    wait_for(lambda: desk.get("/v1/incidents/01TESTOVER/callbacks")[1].get("states"), "a first look")
    expect(ask("GET", "/v1/incidents/01TESTOVER/callbacks", callbacks, 200)["states"], {"VERIFYING": 1})
    rows = ask("GET", "/v1/incidents/01TESTOVER/callbacks?state=VERIFYING", callbacks, 200)["results"]
    expect([row["line"] for row in rows], ["DSLAM-3 11"])
    ask("GET", f"/v1/incidents/{CUT}/callbacks", callbacks, 404)
    ask("GET", "/v1/incidents/01TESTOVER/callbacks?limit=0", callbacks, 400)
    ask("GET", "/v1/nodes", "/v1/nodes", 200)
    store.ask("SET", "rasad:{h}:health:pcap:eth0", rig.encode("CollectorHealth", 'collector: "pcap:eth0" packets: 7'))
    store.ask("ZADD", "rasad:{h}:collectors", time.time_ns() // 10**6, "pcap:eth0")
    health = ask("GET", "/v1/health", "/v1/health", 200)
    expect([collector["packets"] for collector in health["collectors"]], [7])
    for path in ("/metrics", "/v1/openapi.json"):
        expect(desk.request("GET", path)[0], 200)
        asked.add(("get", path))
    expect(asked, {(method, path) for path, methods in document["paths"].items() for method in methods})
    store.kill()
    wait_for(lambda: desk.get("/v1/health")[0] == 503, "a desk that knows that Redis is away")
    ask("GET", "/v1/health", "/v1/health", 503)
    expect(ask("POST", "/v1/calls", "/v1/calls", 503, json.dumps(call))["verdict"], "MONITORING_UNAVAILABLE")
    for path, template in (("/v1/calls/c1", "/v1/calls/{call_id}"), ("/v1/subscribers/x", "/v1/subscribers/{key}"),
                           ("/v1/incidents", "/v1/incidents"), ("/v1/incidents/x", "/v1/incidents/{incident_id}"),
                           ("/v1/incidents/x/callbacks", callbacks), ("/v1/nodes", "/v1/nodes")):
        ask("GET", path, template, 503)


# --- errors ---


def test_methods_and_paths(folder):
    _, desk = town(folder)
    for path, allow in (("/v1/calls", "POST"), ("/v1/calls/c1", "GET"), ("/v1/incidents", "GET"), ("/metrics", "GET")):
        for method in ("PUT", "DELETE", "PATCH", "BREW"):
            status, headers, body = desk.request(method, path)
            expect((method, path, status, headers.get("Allow")), (method, path, 405, allow))
            expect(json.loads(body)["type"], "api_error")
    for path in ("/", "/v1", "/v1/", "/v2/calls", "/v1/calls/a/b", "/v1/calls/%zz", "/v1/calls/%00", "/v1/calls/%ff",
                 "//v1/calls", "/v1/incidents/x/callbacks/y", "/v1/" + "x" * 3000, "/v1/a/b/c/d/e/f/g/h/i"):
        status, _, body = desk.request("GET", path)
        expect((path, status, json.loads(body)["type"]), (path, 404, "api_error"))


def test_wrong_json(folder):
    _, desk = town(folder)
    good = {"phone": "02188776655", "complaint": "SLOW"}
    for body in ("", "{", "[]", "7", "null", '"x"', "{}", '{"phone":7}', '{"phone":"021","complaint":"BORED"}',
                 '{"phone":"02188776655"} x', '{"phone":"\\u0000"}', "[" * 10000, '{"phone":"021","phone":"022"}',
                 json.dumps({**good, "call_id": "a b"}), json.dumps({**good, "call_id": "x" * 100}),
                 json.dumps({**good, "unix_ns": "soon"}), json.dumps({**good, "unix_ns": -5}),
                 json.dumps({**good, "unix_ns": 10**30}), json.dumps({**good, "type": "incident"})):
        status, _, answer = desk.request("POST", "/v1/calls", body, JSON)
        expect((body, status), (body, 400))
        answer = json.loads(answer)
        assert answer["error"] and answer["type"] == "api_error", answer
    expect(desk.request("POST", "/v1/calls", b'{"phone":"\xff\xfe"}', JSON)[0], 400)
    status, match = desk.post(good)
    expect((status, len(match["call_id"])), (200, 32))
    expect(desk.get("/v1/calls/" + match["call_id"]), (200, match))


def test_bytes_that_are_no_request(folder):
    _, desk = town(folder)
    for data in (b"\r\n\r\n", b"HELLO\r\n\r\n", b"GET\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"POST /v1/calls HTTP/1.1\r\n\r\n",
                 b"GET /v1/health HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 60000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9000 + b"\r\n"):
        try:
            answer = raw(desk.port, data)
        except OSError:
            continue  # hung up, or still waiting for the rest
        assert not answer or answer.split()[1][:1] == b"4" or answer.split()[1] == b"505", (data[:40], answer[:80])
    head = b"POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert b" 413 " in raw(desk.port, head + b"Content-Length: 99999999999\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert b" 413 " in raw(desk.port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
    try:  # a body without an end: we are hung up on
        raw(desk.port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)
    except OSError:
        pass
    expect(desk.get("/v1/health")[0], 200)


def test_foreign_text(folder):
    """What names hold cannot leave the string it stands in, nor move a terminal."""
    store, desk = town(folder)
    status, _, body = desk.request("GET", "/v1/subscribers/" + quoted(EVIL))
    expect(status, 200)
    text = body.decode()
    assert "\x1b" not in text and EVIL in json.loads(text)["lines"][0]["card"]["summary"]["subscriber"], text
    status, _, body = desk.request("GET", "/v1/calls/" + quoted("none" + EVIL))
    expect(status, 404)
    assert "\x1b" not in body.decode() and json.loads(body)["error"], body
    for key in ("*", "rasad:{c}:call:in", "../../etc/passwd", "' OR 1=1", "a\r\nFLUSHALL", "\r\n*1\r\n$8\r\nFLUSHALL\r\n"):
        expect(desk.request("GET", "/v1/subscribers/" + quoted(key))[0], 404)
        expect(desk.request("GET", "/v1/calls/" + quoted(key))[0], 404)
        expect(desk.request("GET", "/v1/incidents/" + quoted(key))[0], 404)
    for call_id in ("in", "out"):  # they would be the keys of the streams
        expect(desk.post({"call_id": call_id, "phone": "02188776655"})[0], 400)
    expect(desk.post({"call_id": "a*?{}", "phone": "a\r\nFLUSHALL\r\n"})[1]["verdict"], "UNKNOWN_SUBSCRIBER")
    assert store.ask("DBSIZE") > 5


# --- who may ask ---


def test_token(folder):
    store = Store(folder)
    token = "a-secret-of-some-length"
    with open(folder + "/token", "w", encoding="ascii") as file:
        file.write(token + "\n")
    desk = Desk(store, "--token-file", folder + "/token", listen="0.0.0.0:0")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": token}, {"Authorization": "Bearer "},
                    {"Authorization": "Bearer " + token + "x"}, {"Authorization": "Basic " + token}):
        status, answer, body = desk.request("GET", "/v1/incidents", None, headers)
        expect((headers, status, answer.get("WWW-Authenticate")), (headers, 401, "Bearer"))
        expect(json.loads(body)["type"], "api_error")
    good = {"Authorization": "Bearer " + token, "Host": "desk.example.net"}
    wait_for(lambda: desk.request("GET", "/v1/health", None, good)[0] == 200, "an answer with the token")


def test_start_is_refused(folder):
    store = Store(folder)
    for args, code, words in ((["--listen", "0.0.0.0:0"], 2, "needs a token"), (["--listen", "[::]:0"], 2, "needs a token"),
                              (["--listen", "nowhere"], 2, "expected an address"), (["--threads", "0"], 2, "1 to 64"),
                              (["--token-file", folder + "/none"], 1, "No such file"), (["--redis", "http://x"], 2, "Redis"),
                              (["--name", "a b"], 2, "--name"), (["extra"], 2, "options only"), (["--bogus"], 2, "")):
        done = rig.subprocess.run([rig.BIN + "/rasad-desk", "--redis", store.url, *args], capture_output=True, text=True,
                                  timeout=rig.PATIENCE_S, check=False)
        expect((args, done.returncode, words in done.stderr), (args, code, True))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = rig.subprocess.run([rig.BIN + "/rasad-desk", "--listen", "127.0.0.1:%d" % taken.getsockname()[1]],
                                  capture_output=True, text=True, timeout=rig.PATIENCE_S, check=False)
        expect((done.returncode, "Address already in use" in done.stderr), (1, True))
    for args in (["--help"], ["--version"]):
        done = rig.subprocess.run([rig.BIN + "/rasad-desk", *args], capture_output=True, text=True, check=False)
        expect((done.returncode, "rasad-desk" in done.stdout), (0, True))


def test_foreign_host_is_refused(folder):
    """A web page cannot reach the desk by a name of its own that points to 127.0.0.1."""
    _, desk = town(folder)
    for host, status in (("evil.example.net", 403), ("localhost.evil.net", 403), ("127.0.0.1.evil.net", 403),
                         ("localhost", 200), ("127.0.0.1:8470", 200), ("[::1]:8470", 200)):
        expect((host, desk.request("GET", "/v1/health", None, {"Host": host})[0]), (host, status))


def test_slow_and_many_connections(folder):
    """Connections that say nothing do not keep others out, and end."""
    _, desk = town(folder)
    idle = [socket.create_connection(("127.0.0.1", desk.port)) for _ in range(200)]
    idle[0].sendall(b"GET /v1/hea")
    expect(desk.get("/v1/health")[0], 200)
    idle[0].settimeout(20)
    start = time.monotonic()
    try:
        idle[0].recv(1000)
    except ConnectionError:
        pass
    assert time.monotonic() - start < 15, "an idle connection stays"
    for peer in idle:
        peer.close()


if __name__ == "__main__":
    rig.run([value for name, value in list(globals().items()) if name.startswith("test_")])
