# SPDX-License-Identifier: BSD-3-Clause
"""The micro captures: small TCP conversations of which the right reading is known exactly.

Each case is a function that writes one conversation (micro_talk.py) at the times its packets pass the tap,
and returns what a perfect meter reads from it.  The same case is played downstream (tx is the server) and
upstream (tx is the subscriber), over IPv4 and IPv6, with and without timestamps, wherever the answer must
not change.  micro_table.py lists them.

Every valid sample of the near half is exactly R and of the far half exactly S, so one false sample shows
in the maximum.  Sender reactions obey the path: a resend after a duplicate ACK passes the tap S after that
ACK, never sooner.  Loss by side after Benko & Veres 2002; fast open after RFC 7413.
"""

from micro_talk import ACK, DELIVERED, FIN, LOST_AFTER_TAP, LOST_BEFORE_TAP, PSH, SYN, expect

MANY = 1 << 30          # samples: no upper bound, where a resend may be told from its first copy by TSecr


def fast_retransmit(c, **lost):
    """Block 2 of 8 is lost; the third duplicate ACK (block 5) brings the resend."""
    c.open()
    t = c.burst(100, 0, 8, **lost)
    c.ack(t[1] + c.R, 2)
    c.dup_acks(2, t)
    resend = c.data(t[5] + c.R + c.S, 2)
    c.ack(resend + c.R, 8)
    c.transfer(resend + 200, 8, 4)
    return (1 + 1 + 5 * c.sack + 2, MANY)       # handshake, ACK 2, five SACK edges, two clean ACKs


def loss_after_tap(c):
    near = fast_retransmit(c, after={2})
    return expect(c, near, dict(retransmit_seen=1, lost_after_tap=1))


def loss_before_tap(c):
    near = fast_retransmit(c, before={2})
    return expect(c, near, dict(hole_fill=1, lost_before_tap=1))


def many_holes(c):
    """Slow-start overshoot: every second of 500 blocks is lost before the tap."""
    c.open()
    odd = range(1, 500, 2)
    t = c.burst(100, 0, 501, step=0.1, before=odd)
    c.ack(t[0] + c.R, 1)
    for block in range(2, 501, 2):
        edges = [(b, b + 1) for b in range(block, max(0, block - 6), -2)]
        c.ack(t[block] + c.R, 1, sack=edges)
    for k, block in enumerate(odd):
        resend = c.data(t[500] + c.R + c.S + k * 0.1, block)
        c.ack(resend + c.R, block + 2)
    c.transfer(500, 501, 4)
    return expect(c, (1 + 250 + 2, MANY), dict(hole_fill=250, lost_before_tap=250))


def reorder_short(c):
    """Block 2 passes 2.5 ms late: sooner than any resend could."""
    c.open()
    t = c.burst(100, 0, 2) | {2: 104.5} | c.burst(103, 3, 6)
    c.data(t[2], 2, sent=102)
    c.ack(t[1] + c.R, 2)
    c.ack(t[3] + c.R, 2, sack=[(3, 4)])
    c.ack(t[4] + c.R, 2, sack=[(3, 5)])
    c.ack(t[2] + c.R, 5)
    c.ack(t[6] + c.R, 7)
    c.ack(t[8] + c.R, 9)
    return expect(c, (1 + 1 + 2 + 2, MANY), dict(hole_fill=1, reordered=1))


def reorder_late(c):
    """Block 2 passes 60 ms late, time enough for a resend: only its age (TSval, IP-ID) tells."""
    c.open()
    c.burst(100, 0, 2)
    c.data(103, 3)
    c.ack(101 + c.R, 2)
    c.ack(103 + c.R, 2, sack=[(3, 4)])
    c.data(162, 2, sent=102)
    c.ack(162 + c.R, 4)
    c.transfer(300, 4, 8)
    return expect(c, (1 + 1 + 1 + 4, MANY), dict(hole_fill=1, reordered=1))


def reorder_then_spurious(c):
    """Block 2 is 28 ms late; the duplicate ACKs meanwhile make the sender resend it for nothing."""
    c.open()
    t = c.burst(100, 0, 2) | c.burst(103, 3, 6)
    c.ack(t[1] + c.R, 2)
    c.dup_acks(2, t)
    c.data(130, 2, sent=102)
    c.ack(130 + c.R, 9)
    resend = c.data(t[5] + c.R + c.S, 2)
    c.ack(resend + c.R, 9, sack=[(2, 3)])
    c.transfer(300, 9, 4)
    return expect(c, (1 + 1 + 6 + 2, MANY),
                  dict(hole_fill=1, reordered=1, retransmit_seen=1, spurious=1))


def spurious_ack_lost_after_tap(c):
    """The tap saw the ACK, the sender did not: a tail probe and a timeout resend what has arrived."""
    c.open()
    c.transfer(100, 0, 8)
    c.burst(300, 8, 2)
    c.ack(301 + c.R, 10, fate=LOST_AFTER_TAP)
    c.data(420, 9)
    c.ack(420 + c.R, 10, sack=[(9, 10)], fate=LOST_AFTER_TAP)
    c.data(720, 8)
    c.ack(720 + c.R, 10, sack=[(8, 9)])
    c.transfer(900, 10, 4)
    return expect(c, (1 + 4 + 1 + 2,) * 2, dict(retransmit_seen=2, spurious=2))


def spurious_dsack(c):
    """The ACK is lost before the tap: only the DSACK of the resend tells that nothing else was."""
    c.open()
    c.transfer(100, 0, 8)
    c.burst(300, 8, 2)
    c.ack(301 + c.R, 10, fate=LOST_BEFORE_TAP)
    c.data(650, 8)
    c.ack(650 + c.R, 10, sack=[(8, 9)])
    c.transfer(900, 10, 4)
    return expect(c, (1 + 4 + 2, 1 + 4 + 3), dict(retransmit_seen=1, spurious=1))


def mirror_copies(c, copy, copy_ttl=0):
    """Three of eight data packets come twice from the mirror port."""
    c.open()
    for block in range(8):
        twice = dict(copy=copy, copy_ttl=copy_ttl) if block in (1, 4, 6) else {}
        c.data(100 + block, block, **twice)
    for block in (2, 4, 6, 8):
        c.ack(99 + block + c.R, block)
    return expect(c, (5, 5), dict(duplicate=3), counted=False)


def mirror_copies_at_once(c):
    return mirror_copies(c, 0.02)


def mirror_copies_interleaved(c):
    """The copy comes 1.5 ms later, after the next packet."""
    return mirror_copies(c, 1.5)


def mirror_copies_routed(c):
    """The port mirrors before and after the router: the copy has one hop less."""
    return mirror_copies(c, 0.05, copy_ttl=1)


def mirror_everything(c):
    """Also the handshake and the ACKs come twice.  Whether a repeated pure ACK counts is left open."""
    c.open(copy=0.02)
    c.transfer(100, 0, 8, copy=0.02)
    return expect(c, (5, 5), dict(duplicate=(8, 10)), dict(duplicate=(0, 6)), counted=False)


def mirrored_resend(c):
    """A resend that comes twice is one resend."""
    c.open()
    c.transfer(100, 0, 4)
    c.data(200, 4, fate=LOST_AFTER_TAP)
    c.data(500, 4, copy=0.02)
    c.ack(500 + c.R, 5)
    return expect(c, (3, MANY), dict(retransmit_seen=1, lost_after_tap=1, duplicate=1), counted=False)


def keepalive(c):
    """After ten quiet seconds both sides probe twice, once without and once with a byte of garbage."""
    c.open()
    c.transfer(100, 0, 8)
    end = 8 * c.mss
    for t, length in ((10000, 0), (11000, 1)):
        c.tx.send(t, end - 1, length, garbage=True)
        c.rx.send(t + c.R, ack=end, sack=((end - 1, end),) if c.sack and length else ())
    for t, length in ((20000, 0), (21000, 1)):
        c.rx.send(t, -1, length, garbage=True)
        c.tx.send(t + c.S, ack=0, sack=((-1, 0),) if c.sack and length else ())
    c.transfer(30000, 8, 4)
    return expect(c, (7, 7), dict(keepalive=2), dict(keepalive=2), counted=False)


def zero_window(c, probe):
    c.open()
    c.transfer(100, 0, 6)
    c.burst(106, 6, 2)
    c.ack(107 + c.R, 8, window=0)
    for t in (400, 800, 1600):
        probe(t)
        c.ack(t + c.R, 8, window=0)
    c.ack(2000, 8)
    c.transfer(2000 + c.S, 8, 4)
    return expect(c, (7, 7), dict(zero_window_probe=3), counted=False)


def zero_window_probe_old_byte(c):
    """Linux: an empty segment one byte below."""
    return zero_window(c, lambda t: c.tx.send(t, 8 * c.mss - 1))


def zero_window_probe_new_byte(c):
    """BSD, Windows: the first new byte, which the data then repeats."""
    return zero_window(c, lambda t: c.tx.send(t, 8 * c.mss, 1, flags=ACK | PSH))


def delayed_ack(c):
    """Lone segments, each acknowledged 40 ms late; only the handshake shows the path."""
    c.open()
    for k in range(8):
        c.data(200 + 200 * k, k)
        c.ack(200 + 200 * k + c.R + 40, k + 1)
    return expect(c, (1, 1), host_delay_ms=40)


def delayed_ack_mixed(c):
    """Pairs that are acknowledged at once, then lone segments that are not; joined mid-stream."""
    c.transfer(100, 0, 16)
    for k in range(8):
        c.data(200 + 200 * k, 16 + k)
        c.ack(200 + 200 * k + c.R + 40, 17 + k)
    return expect(c, (8, 8), far=None, host_delay_ms=40)


def clean(c):
    c.open()
    c.transfer(100, 0, 12)
    return expect(c, (7, 7))


def karn(c):
    """The newest segment is resent after 300 ms; its ACK must not be measured from the first copy."""
    c.open()
    c.transfer(100, 0, 4)
    c.data(200, 4, fate=LOST_AFTER_TAP)
    c.data(500, 4)
    c.ack(500 + c.R, 5)
    c.transfer(700, 5, 4)
    return expect(c, (5, MANY), dict(retransmit_seen=1, lost_after_tap=1))


def karn_pair(c):
    """The newest two are resent; an ACK of two is prompt, so nothing but Karn's rule rejects 310 ms."""
    c.open()
    c.transfer(100, 0, 4)
    c.burst(200, 4, 2, after={4, 5})
    c.burst(501, 4, 2)
    c.ack(502 + c.R, 6)
    c.transfer(700, 6, 4)
    return expect(c, (5, MANY), dict(retransmit_seen=2, lost_after_tap=2))


def super_segments(c):
    """Ten-block packets of a GRO tap, 100 ms apart, each acknowledged in part and then in full."""
    c.open()
    for k in range(6):
        t = c.data(100 + 100 * k, 10 * k, 10)
        c.ack(t + c.R, 10 * k + 4)
        c.ack(t + c.R + 0.1, 10 * k + 10)
    return expect(c, (7, 13), dict(data_packets=60), counted=False)


def super_segments_never_whole(c):
    """ACKs that always fall inside a packet: from the last whole one (2 ms older) or from this one."""
    c.open()
    for k in range(8):
        t = c.data(100 + 2 * k, 10 * k, 10)
        c.ack(t + c.R, 10 * k + 5)
    e = expect(c, (6, MANY), dict(data_packets=80), counted=False)
    e.near.slack = 2.0
    return e


def super_segment_fills_hole(c):
    """A hole of ten blocks is ten lost packets, also when one big packet fills it."""
    c.open()
    c.data(100, 0, 10)
    c.data(101, 10, 10, fate=LOST_BEFORE_TAP)
    c.data(102, 20, 10)
    c.ack(100 + c.R, 10)
    c.ack(102 + c.R, 10, sack=[(20, 30)])
    c.data(200, 10, 10)
    c.ack(200 + c.R, 30)
    return expect(c, (2 + c.sack, MANY), dict(data_packets=30, hole_fill=10, lost_before_tap=10),
                  counted=False)


def syn_resend(c):
    """The first SYN dies beyond the tap; request and response follow."""
    c.syn(0, fate=LOST_AFTER_TAP)
    c.syn(1000)
    c.syn_ack(1040)
    c.subscriber.send(1050)
    c.subscriber.send(1100, 0, 300, flags=ACK | PSH)
    c.data(1140, 0, ack=300)
    c.data(1141, 1)
    c.ack(1141 + c.R, 2)
    return expect(c, (2, 2), {}, dict(syn_retransmit=1), far=(1, 2))


def syn_ack_resend(c):
    """The SYN-ACK dies beyond the tap, so both are sent again."""
    c.syn(0)
    c.syn_ack(40, fate=LOST_AFTER_TAP)
    c.syn(1000)
    c.syn_ack(1040)
    c.subscriber.send(1050)
    c.transfer(1100, 0, 4)
    return expect(c, (2, 3), dict(syn_retransmit=1), dict(syn_retransmit=1), far=(1, 2))


def fin_resend(c):
    """A FIN that is sent again is no loss of data."""
    c.open()
    c.transfer(100, 0, 8)
    end = 8 * c.mss
    c.tx.send(300, end, flags=ACK | FIN, fate=LOST_AFTER_TAP)
    c.tx.send(600, end, flags=ACK | FIN)
    c.rx.send(600 + c.R, ack=end + 1, flags=ACK | FIN)
    c.tx.send(600 + c.R + c.S, end + 1, ack=1)
    return expect(c, (5, 6), far=(1, 2))


def head_of_line(c, **lost):
    """Block 1 is missing for 300 ms, then one ACK covers it and the four that waited behind it."""
    c.open()
    t = c.burst(100, 0, 2, **lost) | c.burst(102, 2, 4)
    c.ack(t[0] + c.R, 1)
    c.dup_acks(1, t)
    resend = c.data(410, 1)
    c.ack(resend + c.R, 6)
    c.transfer(700, 6, 4)
    return (1 + 4 * c.sack + 2, MANY)


def head_of_line_after_tap(c):
    near = head_of_line(c, after={1})
    return expect(c, near, dict(retransmit_seen=1, lost_after_tap=1))


def head_of_line_before_tap(c):
    near = head_of_line(c, before={1})
    return expect(c, near, dict(hole_fill=1, lost_before_tap=1))


def head_of_line_partial(c):
    """Blocks 1 and 4 are lost beyond the tap; the ACK of each resend releases waiting blocks."""
    c.open()
    t = c.burst(100, 0, 7, after={1, 4})
    c.ack(t[0] + c.R, 1)
    for block, edges in ((2, [(2, 3)]), (3, [(2, 4)]), (5, [(5, 6), (2, 4)]), (6, [(5, 7), (2, 4)])):
        c.ack(t[block] + c.R, 1, sack=edges)
    c.data(410, 1)
    c.ack(410 + c.R, 4, sack=[(5, 7)])
    c.data(410 + c.R + c.S, 4)
    c.ack(410 + c.R + c.S + c.R, 7)
    c.transfer(800, 7, 4)
    return expect(c, (1 + 4 * c.sack + 2, MANY), dict(retransmit_seen=2, lost_after_tap=2))


def tail_loss(c, clock=None):
    """The last of nine blocks dies before the tap: 350 ms of silence, then the next byte, one IP-ID on."""
    c.open()
    c.transfer(100, 0, 8)
    c.data(108, 8, fate=LOST_BEFORE_TAP)
    c.data(460, 8, **({} if clock is None else dict(clock=clock)))
    c.ack(460 + c.R, 9)
    c.transfer(600, 9, 4)
    return expect(c, (7, 8), dict(suspected_tail_loss=1))


def tail_loss_old_clock(c):
    """IPv6 has no IP-ID, but this sender keeps the TSval of the first copy."""
    return tail_loss(c, clock=108)


def pause(c):
    """Control: the same silence, and nothing is missing."""
    c.open()
    c.transfer(100, 0, 8)
    c.transfer(460, 8, 4)
    return expect(c, (7, 7))


def pause_with_request(c):
    """Control: the sender acknowledged a request in the pause, which took the IP-ID between."""
    c.open()
    c.transfer(100, 0, 8)
    c.rx.send(300, length=300, flags=ACK | PSH)
    c.tx.send(300 + c.S, ack=300)
    c.transfer(700, 8, 4)
    return expect(c, (7, 7), far=(1, 2))


def stretch_ack(c):
    """An ACK filter leaves one ACK in ten; segments 2 ms apart."""
    c.open()
    for k in range(4):
        t = c.burst(100 + 40 * k, 10 * k, 10, step=2)
        for block in range(10 * k + 1, 10 * k + 10, 2):
            fate = DELIVERED if block == 10 * k + 9 else LOST_BEFORE_TAP
            c.ack(t[block] + c.R, block + 1, fate=fate)
    return expect(c, (5, 5))


def stretch_ack_coalesced(c):
    """The receiver itself acknowledges every tenth segment: TSecr echoes the oldest of them."""
    c.open()
    for k in range(4):
        t = c.burst(100 + 40 * k, 10 * k, 10, step=2)
        c.ack(t[10 * k + 9] + c.R, 10 * k + 10)
    return expect(c, (5, 5))


def midstream(c):
    """The capture begins inside the transfer."""
    c.transfer(100, 0, 20)
    return expect(c, (10, 10), far=None)


def midstream_loss(c, **lost):
    c.transfer(100, 0, 12)
    t = c.burst(300, 12, 6, **lost)
    c.ack(t[13] + c.R, 14)
    c.dup_acks(14, t)
    resend = c.data(t[17] + c.R + c.S + 1, 14)
    c.ack(resend + c.R, 18)
    return (7 + 3 * c.sack, MANY)


def midstream_loss_after_tap(c):
    near = midstream_loss(c, after={14})
    return expect(c, near, dict(retransmit_seen=1, lost_after_tap=1), far=None)


def midstream_loss_before_tap(c):
    near = midstream_loss(c, before={14})
    return expect(c, near, dict(hole_fill=1, lost_before_tap=1), far=None)


def only_data_seen(c, **lost):
    """The ACKs take another way."""
    c.open()
    c.burst(100, 0, 8, **lost)
    c.data(220, 2)
    c.burst(400, 8, 4)
    c.hidden = c.rx


def only_data_seen_loss_after_tap(c):
    only_data_seen(c, after={2})
    return expect(c, None, dict(retransmit_seen=1, lost_after_tap=1), far=None)


def only_data_seen_loss_before_tap(c):
    only_data_seen(c, before={2})
    return expect(c, None, dict(hole_fill=1, lost_before_tap=1), far=None)


def only_acks_seen(c):
    fast_retransmit(c, after={2})
    c.hidden = c.tx
    return expect(c, None, far=None)


def resend_merged(c):
    """Two small segments are lost and come back as one."""
    c.open()
    c.transfer(100, 0, 4)
    at = 4 * c.mss
    c.tx.send(200, at, 500, flags=ACK | PSH, fate=LOST_AFTER_TAP)
    c.tx.send(205, at + 500, 500, flags=ACK | PSH, fate=LOST_AFTER_TAP)
    c.tx.send(505, at, 1000, flags=ACK | PSH)
    c.rx.send(505 + c.R, ack=at + 1000)
    return expect(c, (3, MANY), dict(retransmit_seen=1, lost_after_tap=1))


def resend_with_new_data(c):
    """A small segment is lost; its resend carries it and as much new data as fits."""
    c.open()
    c.transfer(100, 0, 4)
    c.tx.send(200, 4 * c.mss, 1000, flags=ACK | PSH, fate=LOST_AFTER_TAP)
    c.data(500, 4)
    c.ack(500 + c.R, 5)
    c.transfer(700, 5, 4)
    return expect(c, (5, MANY), dict(retransmit_seen=1, lost_after_tap=1))


def lost_on_both_sides(c):
    """Block 2 dies before the tap and block 5 behind it; both come back in one round."""
    c.open()
    t = c.burst(100, 0, 9, before={2}, after={5})
    c.ack(t[1] + c.R, 2)
    for block, edges in ((3, [(3, 4)]), (4, [(3, 5)]), (6, [(6, 7), (3, 5)]),
                         (7, [(6, 8), (3, 5)]), (8, [(6, 9), (3, 5)])):
        c.ack(t[block] + c.R, 2, sack=edges)
    resend = c.data(t[8] + c.R + c.S, 2)
    c.data(resend + 1, 5)
    c.ack(resend + c.R, 5, sack=[(6, 9)])
    c.ack(resend + 1 + c.R, 9)
    c.transfer(500, 9, 4)
    return expect(c, (1 + 1 + 5 * c.sack + 2, MANY),
                  dict(hole_fill=1, lost_before_tap=1, retransmit_seen=1, lost_after_tap=1))


def lost_twice(c):
    """The first copy dies before the tap, the second behind it, the third arrives."""
    c.open()
    t = c.burst(100, 0, 4, before={2})
    c.ack(t[1] + c.R, 2)
    c.ack(t[3] + c.R, 2, sack=[(3, 4)])
    c.data(200, 2, fate=LOST_AFTER_TAP)
    c.data(600, 2)
    c.ack(600 + c.R, 4)
    c.transfer(800, 4, 4)
    return expect(c, (1 + 1 + c.sack + 2, MANY),
                  dict(hole_fill=1, lost_before_tap=1, retransmit_seen=1, lost_after_tap=1))


def go_back_n(c):
    """After a timeout the sender resends block 0 and, needlessly, the five that were SACKed."""
    c.open()
    t = c.burst(100, 0, 6, after={0})
    c.dup_acks(0, t)
    again = c.burst(410, 0, 6)
    c.ack(again[0] + c.R, 6)
    for block in range(1, 6):
        c.ack(again[block] + c.R, 6, sack=[(block, block + 1)])
    c.transfer(800, 6, 4)
    return expect(c, (1 + 5 + 2, MANY), dict(retransmit_seen=6, spurious=5, lost_after_tap=1))


def fast_open_refused(c):
    """The SYN carries data and a stale cookie; the server takes the SYN only, so the data comes again."""
    cookie = b"\x22\x0a" + bytes(range(8))
    c.subscriber.send(0, -1, 400, flags=SYN, ack=0, options=cookie)
    c.syn_ack(40)
    c.subscriber.send(50, 0, 400, flags=ACK | PSH)
    c.server.send(90, ack=400)
    c.transfer(200, 0, 4)
    return expect(c, (1, 4), far=(0, 2), counted=False)
