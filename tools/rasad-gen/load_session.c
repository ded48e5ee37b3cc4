/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a line of scenario "load" comes up: discovery with its TR-101 names, LCP, PAP, IPCP. Nothing is
 * lost and nobody refuses; scenario "lines" knows the rest of life.
 */
#include <stdio.h>
#include <string.h>

#include "tools/rasad-gen/load.h"

#define BRAS_NS		 60000
#define BACK_TO_BACK_NS	 40000
#define VENDOR_DSL_FORUM 3561

enum {
	PADI = 0x09,
	PADO = 0x07,
	PADR = 0x19,
	PADS = 0x65,
};

enum { CONF_REQ = 1, CONF_ACK = 2, CONF_NAK = 3 };

enum {
	TAG_SERVICE_NAME = 0x0101,
	TAG_AC_NAME = 0x0102,
	TAG_HOST_UNIQ = 0x0103,
	TAG_VENDOR = 0x0105,
};

/* The body of a message. */
struct body {
	uint8_t byte[256];
	size_t n;
};

static void add(struct body *b, const void *data, size_t n)
{
	memcpy(b->byte + b->n, data, n);
	b->n += n;
}

static void add_tag(struct body *b, uint16_t type, const void *value, size_t n)
{
	add(b, (uint8_t[]){(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(n >> 8), (uint8_t)n}, 4);
	add(b, value, n);
}

static void add_text(struct body *b, uint8_t type, const char *text)
{
	size_t n = strlen(text);

	add(b, (uint8_t[]){type, (uint8_t)n}, 2);
	add(b, text, n);
}

static void add_names(struct body *b, const struct load_line *line)
{
	struct body v = {0};
	char text[64];

	add(&v, (uint8_t[]){0, 0, VENDOR_DSL_FORUM >> 8, VENDOR_DSL_FORUM & 0xff}, 4);
	snprintf(text, sizeof(text), "DSLAM-%u eth 0/1/%u:%u", line->l2.svlan,
		 line->number % LOAD_LINES_PER_SVLAN + 1, line->l2.cvlan);
	add_text(&v, 1, text);
	snprintf(text, sizeof(text), "021%07u", line->number);
	add_text(&v, 2, text);
	add_tag(b, TAG_VENDOR, v.byte, v.n);
}

static void discovery(struct load *l, const struct load_line *line, enum dir dir, uint8_t code)
{
	struct l2 l2 = line->l2;
	struct body b = {0};

	if (code != PADS)
		l2.pppoe_session_id = 0;
	add_tag(&b, TAG_SERVICE_NAME, "", 0);
	add_tag(&b, TAG_HOST_UNIQ, &line->number, sizeof(line->number));
	if (dir == DIR_DOWN)
		add_tag(&b, TAG_AC_NAME, "bras", 4);
	else
		add_names(&b, line);
	frame_begin_discovery(l->frame, &l2, dir, code == PADI, code, b.n);
	frame_bytes(l->frame, b.byte, b.n);
}

/* A control packet with one list of options. */
static void ppp(struct load *l, const struct load_line *line, enum dir dir,
		enum ppp_protocol protocol, uint8_t code, const struct body *options)
{
	size_t n = options->n + 4;

	frame_begin_ppp(l->frame, &line->l2, dir, protocol, n);
	frame_bytes(l->frame, (uint8_t[]){code, 1, (uint8_t)(n >> 8), (uint8_t)n}, 4);
	frame_bytes(l->frame, options->byte, options->n);
}

/* What an end asks for in LCP, or the other end grants it. */
static void lcp(struct load *l, const struct load_line *line, enum dir dir, uint8_t code)
{
	bool of_bras = (dir == DIR_DOWN) == (code == CONF_REQ);
	uint8_t magic = of_bras ? 0xb4 : 0xc0;
	struct body b = {0};

	add(&b, (uint8_t[]){1, 4, 1492 >> 8, 1492 & 0xff}, 4);
	if (of_bras)
		add(&b, (uint8_t[]){3, 4, PPP_PAP >> 8, PPP_PAP & 0xff}, 4);
	add(&b,
	    (uint8_t[]){5, 6, magic, (uint8_t)(line->number >> 16), (uint8_t)(line->number >> 8),
			(uint8_t)line->number},
	    6);
	ppp(l, line, dir, PPP_LCP, code, &b);
}

static void pap(struct load *l, const struct load_line *line, enum dir dir, uint8_t code)
{
	struct body b = {0};
	char user[48];

	if (code == CONF_REQ) {
		snprintf(user, sizeof(user), "u%u@isp.test", line->number);
		add(&b, (uint8_t[]){(uint8_t)strlen(user)}, 1);
		add(&b, user, strlen(user));
		add(&b, "\6secret", 7);
	} else {
		add(&b, "", 1); /* no message */
	}
	ppp(l, line, dir, PPP_PAP, code, &b);
}

static void ipcp(struct load *l, const struct load_line *line, enum dir dir, uint8_t code,
		 struct ip_addr address)
{
	struct body b = {0};

	add(&b, (uint8_t[]){3, 6}, 2);
	add(&b, address.byte, 4);
	ppp(l, line, dir, PPP_IPCP, code, &b);
}

enum { DISCOVERY, LCP, PAP, IPCP };
enum { NO_ADDRESS, LINE_ADDRESS, BRAS_ADDRESS };

static const struct {
	uint8_t dir, what, code, address;
} steps[] = {
	{DIR_UP, DISCOVERY, PADI, NO_ADDRESS},	  {DIR_DOWN, DISCOVERY, PADO, NO_ADDRESS},
	{DIR_UP, DISCOVERY, PADR, NO_ADDRESS},	  {DIR_DOWN, DISCOVERY, PADS, NO_ADDRESS},
	{DIR_DOWN, LCP, CONF_REQ, NO_ADDRESS},	  {DIR_UP, LCP, CONF_REQ, NO_ADDRESS},
	{DIR_UP, LCP, CONF_ACK, NO_ADDRESS},	  {DIR_DOWN, LCP, CONF_ACK, NO_ADDRESS},
	{DIR_UP, PAP, CONF_REQ, NO_ADDRESS},	  {DIR_DOWN, PAP, CONF_ACK, NO_ADDRESS},
	{DIR_DOWN, IPCP, CONF_REQ, BRAS_ADDRESS}, {DIR_UP, IPCP, CONF_REQ, NO_ADDRESS},
	{DIR_UP, IPCP, CONF_ACK, BRAS_ADDRESS},	  {DIR_DOWN, IPCP, CONF_NAK, LINE_ADDRESS},
	{DIR_UP, IPCP, CONF_REQ, LINE_ADDRESS},	  {DIR_DOWN, IPCP, CONF_ACK, LINE_ADDRESS},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void make(struct load *l, const struct load_line *line, uint32_t i)
{
	enum dir dir = (enum dir)steps[i].dir;
	struct ip_addr address[] = {
		[NO_ADDRESS] = {0},
		[LINE_ADDRESS] = load_line_address(line->number, false),
		[BRAS_ADDRESS] = {.byte = {100, 127, 255, 254}},
	};

	switch (steps[i].what) {
	case DISCOVERY:
		discovery(l, line, dir, steps[i].code);
		break;
	case LCP:
		lcp(l, line, dir, steps[i].code);
		break;
	case PAP:
		pap(l, line, dir, steps[i].code);
		break;
	case IPCP:
		ipcp(l, line, dir, steps[i].code, address[steps[i].address]);
		break;
	}
}

static void step(struct load *l, uint32_t number, uint32_t i)
{
	struct load_line line = load_line(l, number);
	uint64_t wait_ns;

	make(l, &line, i);
	l->total.control++;
	load_emit(l, number, (enum dir)steps[i].dir);
	if (i + 1 == STEPS) {
		l->up++;
		return;
	}
	wait_ns = steps[i + 1].dir == steps[i].dir ? BACK_TO_BACK_NS
		  : steps[i].dir == DIR_UP	   ? BRAS_NS
						   : load_jitter(l, line.line_rtt_ns);
	load_events_plan(&l->events, l->stamp_ns,
			 &(struct load_event){.kind = EVENT_DIAL,
					      .who = number,
					      .ack = i + 1,
					      .due_ns = l->stamp_ns + wait_ns});
}

void load_offer(struct load *l)
{
	struct load_line line = load_line(l, 0);

	discovery(l, &line, DIR_DOWN, PADO);
	l->total.control++;
	load_emit(l, 0, DIR_DOWN);
}

void load_dial(struct load *l, uint32_t line)
{
	step(l, line, 0);
}

void load_dial_step(struct load *l, const struct load_event *e)
{
	step(l, e->who, e->ack);
}
