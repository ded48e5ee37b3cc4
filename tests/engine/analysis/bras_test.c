/* SPDX-License-Identifier: BSD-3-Clause */
/* Since when RADIUS is silent, by what lines ask and hear through their BRAS. */
#include "engine/analysis/bras.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void pap(struct bras *b, uint8_t code, uint64_t asked_ns, uint64_t now_ns)
{
	const struct control c = {.kind = KIND_PAP, .code = code};
	bras_authenticates(b, &c, asked_ns, now_ns);
}

static void between_answer_and_question(void **state)
{
	struct bras b = {0};
	(void)state;
	pap(&b, PAP_REQ, 0, 100 * S);
	pap(&b, PAP_NAK, 100 * S, 101 * S); /* a refusal is an answer */
	assert_int_equal(bras_radius_silent(&b, 102 * S), 102 * S);
	pap(&b, PAP_REQ, 0, 104 * S);
	pap(&b, PAP_REQ, 0, 105 * S);
	assert_int_equal(bras_radius_silent(&b, 104 * S), 102 * S + S / 2);
	assert_int_equal(bras_radius_silent(&b, 120 * S), 102 * S + S / 2);
	pap(&b, PAP_NAK, 104 * S, 113 * S); /* the BRAS gave up */
	assert_int_equal(bras_radius_silent(&b, 104 * S), 102 * S + S / 2);
	/* Asked before the last answer: not everybody is without one. */
	assert_int_equal(bras_radius_silent(&b, 100 * S), 100 * S);
}

static void long_after_the_last_answer(void **state)
{
	struct bras b = {0};
	(void)state;
	assert_int_equal(bras_radius_silent(&b, 7 * S), 7 * S); /* never heard */
	pap(&b, PAP_ACK, 10 * S, 10 * S + 1);
	pap(&b, PAP_REQ, 0, 3000 * S);
	assert_int_equal(bras_radius_silent(&b, 3000 * S), 3000 * S - BRAS_AUTH_GAP_NS);
	pap(&b, PAP_ACK, 3000 * S, 3001 * S);
	assert_int_equal(bras_radius_silent(&b, 3002 * S), 3002 * S);
}

static void by_chap_too(void **state)
{
	struct bras b = {0};
	const struct control response = {.kind = KIND_CHAP, .code = CHAP_RESPONSE},
			     challenge = {.kind = KIND_CHAP, .code = CHAP_CHALLENGE},
			     success = {.kind = KIND_CHAP, .code = CHAP_SUCCESS};
	(void)state;
	bras_authenticates(&b, &response, 0, 10 * S);
	bras_authenticates(&b, &success, 10 * S, 11 * S);
	bras_authenticates(&b, &challenge, 0, 12 * S); /* the BRAS's own */
	bras_authenticates(&b, &response, 0, 13 * S);
	assert_int_equal(bras_radius_silent(&b, 13 * S), 12 * S);
	bras_authenticates(&b, &success, 0, 14 * S); /* of a session that nobody saw begin */
	assert_int_equal(bras_radius_silent(&b, 13 * S), 12 * S);
}

/* Lines that speak to a BRAS which nobody ever heard; then it is. */
static void one_direction_only(void **state)
{
	static struct bras_table table;
	const uint8_t mac[6] = {2, 0xb0};
	const struct control ask = {.kind = KIND_PPPOE, .code = PADR, .dir = DIR_UP},
			     answer = {.kind = KIND_PPPOE, .code = PADS, .dir = DIR_DOWN};
	(void)state;
	assert_false(bras_one_way(&table)); /* nobody spoke: events alone */
	bras_follow(bras_of(&table, mac), 1, &ask, 10 * S);
	assert_true(bras_one_way(&table));
	bras_follow(bras_of(&table, mac), 1, &answer, 11 * S);
	assert_false(bras_one_way(&table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_answer_and_question),
		cmocka_unit_test(long_after_the_last_answer),
		cmocka_unit_test(by_chap_too),
		cmocka_unit_test(one_direction_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
