/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of control messages. Input: kind (from KIND_DHCP on), direction, then the message,
 * which lies at the very end of its block so that AddressSanitizer sees a read beyond it. Beside
 * memory safety: every text ends and has no leading, trailing or double space, and nothing depends
 * on what lay in the record before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/packet/control.h"

#define HOLD(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "control_fuzz: does not hold: %s\n", #claim);              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_text(const char *text, size_t room)
{
	size_t n = strnlen(text, room);
	HOLD(n < room);
	HOLD(n == 0 || (text[0] != ' ' && text[n - 1] != ' '));
	HOLD(!strstr(text, "  "));
}

static void check(const struct control *c)
{
	check_text(c->circuit_id, sizeof c->circuit_id);
	check_text(c->remote_id, sizeof c->remote_id);
	check_text(c->user, sizeof c->user);
	check_text(c->text, sizeof c->text);
	HOLD(c->prefix_len <= 128);
	if (c->has_ipv4)
		HOLD(c->ipv4[0] || c->ipv4[1] || c->ipv4[2] || c->ipv4[3]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct control c[2];
	struct pkt p = {0};
	struct pkt_extra x = {0};
	if (len < 2 || len > 0xffff)
		return 0;
	p.kind = (uint8_t)(KIND_DHCP + data[0] % (KIND_COUNT - KIND_DHCP));
	p.dir = data[1] % 3;
	p.seq = data[1]; /* PPPoE: the code */
	p.payload_len = x.payload_caplen = (uint16_t)(len - 2);
	p.l4_off = 2;
	memset(&c[0], 0x00, sizeof c[0]);
	memset(&c[1], 0xff, sizeof c[1]);
	for (int i = 0; i < 2; i++) {
		control_read(&c[i], &p, &x, data);
		check(&c[i]);
	}
	HOLD(c[0].code == c[1].code && c[0].magic == c[1].magic && c[0].error == c[1].error);
	HOLD(c[0].rate_up == c[1].rate_up && c[0].rate_down == c[1].rate_down);
	HOLD(strcmp(c[0].user, c[1].user) == 0 && strcmp(c[0].text, c[1].text) == 0);
	HOLD(strcmp(c[0].circuit_id, c[1].circuit_id) == 0);
	return 0;
}
