#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Replay every file of ../shared/captures: survive all of it, and count what tshark counts.

For each file the program must end by itself within 10 s with exit code 0, or 1 and a message
that names the file; never by a signal, never with a sanitizer's report (point --program at the
sanitizer build to hear it).  Every packet is in exactly one verdict.  Packet counts and the
counts of control messages must be those of tshark 4.0.17 in INDEX.tsv.

Where an honest decoder differs from tshark, a rule below gives the reason and the room:
it never names a file.

- unreadable: the link type or file format is unknown to one of the two.  A damaged pcap older
  than 2.4 is no better: there each reader guesses which of caplen and len comes first.
- tunnels: tshark looks into L2TP, GTP, GRE and the like; rasad measures the access line, so a
  message inside a tunnel may be left uncounted.
- damage: where a frame is truncated or malformed, what can still be called a message is a
  matter of taste, by one message for each such frame.  A DHCP message whose type tshark has
  read is not in doubt, only additional ones without a readable type are.
"""

import csv
import struct


import judge

TIME_LIMIT_S = 10

CONTROL_COLUMNS = {
    "padi": "PADI", "pado": "PADO", "padr": "PADR", "pads": "PADS", "padt": "PADT",
    "lcp_echo_req": "lcp_echo_req", "lcp_echo_rep": "lcp_echo_rep",
    "lcp_confreq": "lcp_confreq", "lcp_termreq": "lcp_termreq",
    "pap_req": "pap_req", "pap_ack": "pap_ack", "pap_nak": "pap_nak",
    "chap_chal": "chap_chal", "chap_succ": "chap_succ", "chap_fail": "chap_fail",
}

# Layers, as tshark names them, that carry somebody else's PPP or IP.
TUNNELS = {"l2tp", "gtp", "gtpprime", "gtpv2", "gre", "teredo", "vxlan", "geneve", "capwap.data"}

DHCP_TYPES = range(1, 19)           # RFC 2132 to RFC 7724; tshark prints whatever is there


def number(row, column):
    return int(row[column] or 0)


def in_doubt(row):
    return number(row, "malformed_pkts") + number(row, "truncated_pkts")


def has_tunnel(row):
    named = set(row["protocols_io_phs"].split(","))
    return bool(named & TUNNELS) or number(row, "l2tp_ppp") > 0 or number(row, "gtp_msgs") > 0


def dhcp_messages(row):
    """"1=2 5=1" is two messages of type 1 and one of type 5."""
    pairs = (pair.split("=") for pair in row["dhcp_msgs"].split())
    return sum(int(count) for kind, count in pairs if int(kind) in DHCP_TYPES)


def expected_control(row):
    """{counter: (least, most)} that a correct decoder may give for this file."""
    tunnel, doubt = has_tunnel(row), in_doubt(row)
    expected = {}
    for name, column in CONTROL_COLUMNS.items():
        count = number(row, column)
        least = 0 if tunnel else max(0, count - doubt)
        expected[name] = (least, count + doubt)
    dhcp = dhcp_messages(row)
    expected["dhcp"] = (0 if tunnel else dhcp, dhcp + doubt)
    return expected


def is_capture(row):
    return row["format"].startswith("pcap")


def tshark_read_all(row):
    return is_capture(row) and row["tshark_rc"] == "0"


def custom_blocks(path):
    """pcapng custom blocks, which tshark counts as packets though no frame is in them."""
    data, at, order, found = path.read_bytes(), 0, "<", 0
    while data[:4] == b"\x0a\x0d\x0d\x0a" and at + 12 <= len(data):
        kind = struct.unpack_from(order + "I", data, at)[0]
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        length = struct.unpack_from(order + "I", data, at + 4)[0]
        found += kind in (0xBAD, 0x40000BAD)
        at += max(length, 12)
    return found


def check_packets(score, name, row, path, summary):
    """tshark counts no packets at all where it refuses the link type."""
    refused_link = "network type" in row["tshark_error"]
    old_and_damaged = " v" in row["format"] and row["tshark_rc"] != "0"
    if not refused_link and not old_and_damaged:
        expected = number(row, "packets") - custom_blocks(path)
        score.equal(f"{name} packets", expected, summary["packets"])


def check_control(score, name, row, summary):
    verdicts = summary["verdicts"]
    if not tshark_read_all(row):
        return                      # one of the two stopped early: nothing to compare
    unknown_link = verdicts.get("unknown_link_type", 0)
    if unknown_link and unknown_link == summary["packets"]:
        score.check("EN10MB" not in row["link_types"], f"{name} link type", "Ethernet is read",
                    verdicts)
        return                      # told as unreadable, packet by packet
    got = summary.get("control", {})
    for counter, (least, most) in expected_control(row).items():
        value = got.get(counter, 0)
        wanted = least if least == most else f"{least} to {most}"
        score.check(least <= value <= most, f"{name} control {counter}", wanted, value)


def check_refusal(score, name, row, path, result):
    """Exit code 1 is right for what is not a whole capture, and must say which file."""
    unread = result.summary and result.summary["verdicts"].get("unknown_link_type")
    good = tshark_read_all(row) and not unread and not row["file"].startswith("badinput/")
    score.check(not (good and result.code == 1), f"{name} is a good capture", "exit code 0",
                judge.last_line(result.stderr))
    if result.code == 1:
        score.check(path.name in result.stderr, f"{name} message", "the name of the file",
                    judge.last_line(result.stderr))
    damaged = is_capture(row) and row["tshark_rc"] != "0"
    if not is_capture(row):
        score.equal(f"{name} is no pcap, exit code", 1, result.code)
    elif damaged and result.code == 0:
        verdicts = result.summary["verdicts"] if result.summary else {}
        told = path.name in result.stderr or set(k for k in verdicts if verdicts[k]) - {"ok"}
        score.check(told, f"{name} is damaged", "a message or a verdict other than ok", verdicts)


def check_file(score, program, path, row):
    name = row["file"]
    result = judge.run(program, path, timeout_s=TIME_LIMIT_S)
    clean = judge.check_clean(score, name, result, codes=(0, 1))
    if result is None:
        return
    check_refusal(score, name, row, path, result)
    if result.summary:
        judge.check_verdicts(score, name, result.summary)
    if clean:
        check_packets(score, name, row, path, result.summary)
        check_control(score, name, row, result.summary)


def main():
    args = judge.parse(judge.arguments(__doc__))
    score = judge.Score()
    index = judge.shared("captures", "INDEX.tsv")
    if index is None:
        score.skip("no ../shared/captures/INDEX.tsv (or $RASAD_SHARED)")
        score.finish()
    with open(index, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    score.check(len(rows) > 600, str(index), "more than 600 files", len(rows))
    for row in rows:
        check_file(score, args.program, index.parent / row["file"], row)
    score.finish()


if __name__ == "__main__":
    main()
