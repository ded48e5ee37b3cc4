/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/match/fixture.h"

static int tear_down(void **state)
{
	(void)state;
	fixture_free();
	return 0;
}

static void same_number_in_every_script(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"02188776655",	   "+982188776655", "00982188776655", "982188776655",
		"۰۲۱۸۸۷۷۶۶۵۵",	   "٠٢١٨٨٧٧٦٦٥٥",   "021-8877 6655",  "\u2068۰۲۱ ۸۸۷۷۶۶۵۵\u2069",
		"(021) 8877-66۵۵", "2188776655",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct identity_key keys[IDENTITY_KEYS_MAX];
		Rasad__V1__CallEvent call = RASAD__V1__CALL_EVENT__INIT;
		call.phone = (char *)forms[i];
		assert_int_equal(identity_keys(&call, keys), 1);
		assert_int_equal(keys[0].kind, IDENTITY_PHONE);
		assert_string_equal(keys[0].text, "+982188776655");
	}
}

/* Account before line number before phone; the number of a line may be an account. */
static void order_of_names(void **state)
{
	(void)state;
	struct identity_key keys[IDENTITY_KEYS_MAX];
	Rasad__V1__CallEvent *call = call_of(
		"{'phone':'09121234567','line_number':'۰۲۶۳۳۴۴۵۵۶۶','account':' u۱۲@isp.test '}");

	assert_int_equal(identity_keys(call, keys), 4);
	assert_int_equal(keys[0].kind, IDENTITY_ACCOUNT);
	assert_string_equal(keys[0].text, "u12@isp.test");
	assert_int_equal(keys[1].kind, IDENTITY_PHONE);
	assert_string_equal(keys[1].text, "+982633445566");
	assert_int_equal(keys[2].kind, IDENTITY_CIRCUIT);
	assert_string_equal(keys[3].text, "+989121234567");
	call = call_of("{'account':'02633445566'}");
	assert_int_equal(identity_keys(call, keys), 2);
	assert_string_equal(keys[1].text, "+982633445566");
	call = call_of("{'line_number':'DSLAM-1 eth 0/1/3:7'}");
	assert_int_equal(identity_keys(call, keys), 1);
	assert_int_equal(keys[0].kind, IDENTITY_CIRCUIT);
}

static void nobody_and_nonsense(void **state)
{
	(void)state;
	struct identity_key keys[IDENTITY_KEYS_MAX];
	char cut[4];

	assert_int_equal(identity_keys(call_of("{'phone':''}"), keys), 0);
	assert_int_equal(identity_keys(call_of("{'phone':'12'}"), keys), 0);
	assert_int_equal(identity_keys(call_of("{'phone':'call me'}"), keys), 0);
	assert_int_equal(identity_clean("abcdef", cut, sizeof(cut)), 3);
	assert_string_equal(cut, "abc");
	assert_int_equal(identity_clean("\xd9", cut, sizeof(cut)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_number_in_every_script),
		cmocka_unit_test_teardown(order_of_names, tear_down),
		cmocka_unit_test_teardown(nobody_and_nonsense, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
