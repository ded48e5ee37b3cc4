/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_same_number(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"02188776655",
		"+982188776655",
		"00982188776655",
		"982188776655",
		"2188776655",
		"021-8877 6655",
		"(021) 88776655",
		"+98 21 8877.6655",
		" 021\t88776655 ",
		"\xdb\xb0\xdb\xb2\xdb\xb1\xdb\xb8\xdb\xb8\xdb\xb7\xdb\xb7\xdb\xb6\xdb\xb6\xdb\xb5\xdb\xb5",
		"\xd9\xa0\xd9\xa2\xd9\xa1\xd9\xa8\xd9\xa8\xd9\xa7\xd9\xa7\xd9\xa6\xd9\xa6\xd9\xa5\xd9\xa5",
		("\xe2\x81\xa8"
		 "02188776655"
		 "\xe2\x81\xa9"), /* in bidi isolates */
		("+\xdb\xb9\xdb\xb8"
		 "2188776655"),
	};
	char out[PHONE_SIZE];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (phone_normalise(forms[i], out))
			fail_msg("\"%s\" is refused", forms[i]);
		assert_string_equal(out, "+982188776655");
	}
}

static void test_other_numbers(void **state)
{
	(void)state;
	char out[PHONE_SIZE];

	assert_int_equal(phone_normalise("+4930123456", out), 0);
	assert_string_equal(out, "+4930123456");
	assert_int_equal(phone_normalise("0049 30 123456", out), 0);
	assert_string_equal(out, "+4930123456");
	assert_int_equal(phone_normalise("09121234567", out), 0);
	assert_string_equal(out, "+989121234567");
	assert_int_equal(phone_normalise("+123456789012345", out), 0);
	assert_string_equal(out, "+123456789012345");
}

static void test_no_numbers(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"+",
		"0",
		"00",
		"000",
		"12345",
		"call me",
		"0218877665x",
		"02:5a:00:01:01:0b",
		"100.64.1.11x",
		"+1234567890123456",
		"001234567890123456",
		"12345678901234567890123",
		"++982188776655",
		"021+88776655",
		"\xdb",
		("\xdb\xba"
		 "21887766"),
		"\xff",
	};
	char out[PHONE_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!phone_normalise(texts[i], out))
			fail_msg("\"%s\" is taken for %s", texts[i], out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_number),
		cmocka_unit_test(test_other_numbers),
		cmocka_unit_test(test_no_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
