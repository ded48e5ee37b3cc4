/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/rasad-desk/http.h"
#include "tools/rasad-desk/request.h"

/* The segments as "a|b|c"; "" when it is no path. */
static const char *split(const char *path)
{
	static char copy[256], joined[256];
	char *segments[4];

	snprintf(copy, sizeof(copy), "%s", path);
	*joined = 0;
	size_t n = request_split_path(copy, segments, 4);
	for (size_t i = 0; i < n; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, segments[i]);
	}
	return joined;
}

static void test_split(void **state)
{
	static const char *const rows[][2] = {
		{"/v1/calls", "v1|calls"},
		{"/v1/calls/a%2Fb%20c", "v1|calls|a/b c"},
		{"/%D9%82", "\xd9\x82"},
		{"/a/", "a|"},
		{"//a", "|a"},
		{"/%41%61%7e", "Aa~"},
		{"/a+b", "a+b"},
	};
	static const char *const wrong[] = {"",	    "a",    "/%",	  "/%4",   "/%4g",
					    "/%00", "/%ff", "/a/b/c/d/e", "/\xff", "/%C3%28"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(split(rows[i][0]), rows[i][1]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_string_equal(split(wrong[i]), "");
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool good, loopback;
	} rows[] = {
		{"127.0.0.1:8470", true, true},
		{"127.9.9.9:0", true, true},
		{"[::1]:8470", true, true},
		{"0.0.0.0:8470", true, false},
		{"[::]:65535", true, false},
		{"10.0.0.1:80", true, false},
		{"127.0.0.1", false, false},
		{"127.0.0.1:65536", false, false},
		{"127.0.0.1:x", false, false},
		{"localhost:80", false, false},
		{":80", false, false},
		{"", false, false},
		{"::1:80", false, false},
		{"[::1", false, false},
		{"[::ffff:127.0.0.1]:1", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sockaddr_storage address;
		assert_int_equal(http_parse_address(rows[i].text, &address), rows[i].good);
		if (rows[i].good)
			assert_int_equal(http_is_loopback(&address), rows[i].loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
