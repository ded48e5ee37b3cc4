#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rasadctl call, callbacks, card and export, against a real desk and a real redis-server."""

import json
import os
import subprocess
import time

import rig
from rig import NS, Desk, Store, expect, wait_for

PHONE, LINE, CUT = "+982188776655", "DSLAM-1 11", "01TESTCUT"


def ctl(store, *args, language="en_US.UTF-8"):
    done = subprocess.run([rig.BIN + "/rasadctl", "--redis", store.url, *args], capture_output=True, text=True,
                          timeout=rig.PATIENCE_S, check=False, env={**os.environ, "TZ": "UTC", "LANG": language})
    return done.returncode, done.stdout, done.stderr


def has_persian(text):
    return any("\u0600" <= c <= "\u06ff" for c in text)


def test_call(folder):
    store = Store(folder)
    store.put_line(LINE, PHONE, state="DOWN")
    store.put_incident(CUT, down=[LINE])
    code, out, err = ctl(store, "call", "--phone", "02188776655", "--wait", "0")
    expect((code, out, "does a rasad-desk run?" in err), (1, "", True))
    desk = Desk(store).ready()
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    code, out, err = ctl(store, "call", "--phone", "۰۲۱۸۸۷۷۶۶۵۵", "--complaint", "outage", "--lang", "en", "--call-id", "c1")
    expect((code, err, has_persian(out)), (0, "", False))
    assert "DSLAM-1" in out, out
    code, out, _ = ctl(store, "call", "--phone", PHONE, "--complaint", "outage", "--call-id", "c1", language="fa_IR.UTF-8")
    expect((code, has_persian(out)), (0, True))
    code, out, _ = ctl(store, "-o", "json", "call", "--phone", PHONE, "--complaint", "OUTAGE", "--since", "5m", "--text",
                       "since noon")
    match = json.loads(out)
    expect((code, match["type"], match["verdict"], match["incident_id"]), (0, "call_match", "MATCHED", CUT))
    expect((match["call"]["free_text"], match["call"]["channel"]), ("since noon", "rasadctl"))
    assert abs(match["call"]["reported_start_unix_ns"] - (time.time_ns() - 300 * NS)) < 60 * NS


def test_card(folder):
    """The same card in both languages; Persian digits; Latin names isolated, so that they do not turn the line."""
    store = Store(folder)
    store.put_line(LINE, PHONE)
    code, english, err = ctl(store, "card", PHONE, "--lang", "en")
    expect((code, err, has_persian(english)), (0, "", False))
    code, persian, _ = ctl(store, "card", LINE, "--lang", "fa")
    expect((code, has_persian(persian)), (0, True))
    assert "\u2068" in persian and any("\u06f0" <= c <= "\u06f9" for c in persian), persian
    for opening, closing in (("\u2068", "\u2069"),):
        for line in persian.splitlines():
            expect((line, line.count(opening)), (line, line.count(closing)))
    code, out, _ = ctl(store, "-o", "json", "card", PHONE)
    expect((code, json.loads(out)["type"]), (0, "subscriber_card"))
    code, out, err = ctl(store, "card", "nobody")
    expect((code, out, "no card" in err), (1, "", True))


def test_callbacks(folder):
    store = Store(folder)
    cleared = time.time_ns() - 17 * 60 * NS
    for i in range(3):
        store.put_line(f"DSLAM-1 {i}", f"+98218877665{i}", state="DOWN" if i == 2 else "UP")
    lines = [f"DSLAM-1 {i}" for i in range(3)]
    code, _, err = ctl(store, "callbacks", CUT)
    expect((code, "no such incident" in err), (1, True))
    store.put_incident(CUT, state="CLEARED", recovered=lines, onset_ns=cleared - NS, clear_ns=cleared)
    code, out, err = ctl(store, "callbacks", CUT)
    expect((code, "nobody to call back" in err), (1, True))
    Desk(store, "--verify-every", "1")
    wait_for(lambda: store.ask("ZCARD", "rasad:{v}:verify:" + CUT) == 2, "the list")
    wait_for(lambda: store.ask("EXISTS", "rasad:{v}:states:" + CUT), "the sums")
    code, out, err = ctl(store, "callbacks", CUT, "--lang", "en")
    expect((code, err, "2 VERIFIED" in out, "1 STILL_DOWN" in out, "+982188776650" in out, "+982188776652" in out),
           (0, "", True, True, True, False))
    code, out, _ = ctl(store, "-o", "json", "callbacks", CUT, "-n", "1")
    row, = map(json.loads, out.splitlines())
    expect((row["type"], row["state"], row["call_back"]), ("verify_result", "VERIFIED", True))


def test_export(folder):
    store = Store(folder)
    store.put_line(LINE, PHONE, state="DOWN")
    store.put_incident(CUT, down=[LINE])
    desk = Desk(store).ready()
    wait_for(lambda: desk.metric("incidents_open") == 1, "the incident")
    desk.post({"call_id": "c1", "phone": PHONE, "complaint": "OUTAGE"})
    for name in ("tmf642", "tmf621", "servicenow", "znuny", "jira"):
        code, out, err = ctl(store, "export", CUT, "--format", name)
        expect((name, code, err), (name, 0, ""))
        assert "DSLAM-1" in json.dumps(json.loads(out)), out
        code, out, _ = ctl(store, "export", "c1", "--format", name)
        expect((name, code), (name, 1 if name == "tmf642" else 0))
        if out:
            assert "c1" in json.dumps(json.loads(out)), out
    for args in (("export", "none"), ("export", "a\r\nb"), ("callbacks", "ev"), ("export", "x" * 500)):
        code, out, err = ctl(store, *args)
        expect((args, code, out, bool(err)), (args, 1, "", True))


def test_usage(folder):
    store = Store(folder)
    for args in (("call",), ("call", "--phone", PHONE, "--complaint", "bored"), ("call", "extra"), ("callbacks",),
                 ("card",), ("card", "x", "--lang", "de"), ("export", "x", "--format", "xml"), ("export",),
                 ("call", "--phone", PHONE, "--wait", "soon"), ("card", "x", "--phone", PHONE),
                 ("call", "--phone", PHONE, "--call-id", "a b")):
        code, out, err = ctl(store, *args)
        expect((args, code, out, "rasadctl" in err), (args, 2, "", True))
    for name in ("call", "callbacks", "card", "export"):
        code, out, _ = ctl(store, name, "--help")
        expect((code, f"Usage: rasadctl [OPTIONS] {name}" in out), (0, True))


if __name__ == "__main__":
    rig.run([value for name, value in list(globals().items()) if name.startswith("test_")])
