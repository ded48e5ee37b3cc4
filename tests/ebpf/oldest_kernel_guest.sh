#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
#
# The first and only process of the machine that oldest_kernel_test.py boots. Its peer lives in a
# network namespace behind tap0; each line "= name value" is a finding.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
insmod /veth.ko

find() { echo "= $*"; }
ip() { /bin/ip "$@"; } # not that of busybox
peer() { nsenter -n -t "$(cat /tmp/peer)" "$@"; }
await() { # at most 30 s
	for _ in $(seq 300); do
		"$@" && return
		usleep 100000
	done
	find gave_up "$*"
}
sent_and_received() {
	for side in rx tx; do cat /sys/class/net/tap0/statistics/${side}_packets; done | paste -s -d +
}
programs() { bpftool prog show | grep -c ' name tap_'; }
none_left() { [ "$(programs)" = 0 ]; }
answers() { ping -c 1 -W 5 10.9.0.1 >/dev/null; }

listen() {
	rasadd --collector xdp:tap0 --redis unix:/tmp/redis --max-lines 1000 --max-flows 1000 \
		--summary /tmp/summary "$@" 2>/tmp/said &
	rasadd=$!
	await grep -q listening /tmp/said
}
ends() {
	kill "-$1" "$rasadd"
	wait "$rasadd"
	find "exit_$2" $?
	find "said_$2" "$(paste -s -d ' ' /tmp/said)"
	find "summary_$2" "$(tail -n 1 /tmp/summary)"
	await none_left
}

find release "$(uname -r)"
redis-server --port 0 --unixsocket /tmp/redis --save '' --appendonly no >/dev/null &
unshare -n sh -c 'echo $$ >/tmp/peer; exec sleep 1000' &
await test -s /tmp/peer
await test -S /tmp/redis
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
peer sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
ip link add tap0 type veth peer name far0
ip link set far0 netns "$(cat /tmp/peer)"
ip addr add 10.9.0.2/24 dev tap0
ip link set tap0 up
peer ip addr add 10.9.0.1/24 dev far0
peer ip link set far0 up
await answers

listen
before=$(($(sent_and_received)))
ping -c 20 -i 0.01 10.9.0.1 >/dev/null
find inline_packets $(($(sent_and_received) - before))
find inline_programs "$(programs)"
ends TERM inline

listen
ends KILL killed
find killed_programs "$(programs)"
find killed_answers "$(answers && echo yes)"

listen --tap drop
before=$(cat /sys/class/net/tap0/statistics/rx_packets)
ping -c 3 -W 1 10.9.0.1 >/dev/null && find drop_answers yes
find drop_packets $(($(cat /sys/class/net/tap0/statistics/rx_packets) - before))
ends TERM drop
find drop_gone_answers "$(answers && echo yes)"
poweroff -f
