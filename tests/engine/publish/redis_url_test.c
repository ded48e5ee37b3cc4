/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct redis_url parsed(const char *text)
{
	struct redis_url url;
	const char *reason;

	if (redis_url_parse(text, &url, &reason))
		fail_msg("%s: %s", text, reason);
	return url;
}

static void test_tcp(void **state)
{
	(void)state;
	struct redis_url url = parsed("redis://10.0.0.1");
	assert_string_equal(url.host, "10.0.0.1");
	assert_int_equal(url.port, 6379);
	assert_int_equal(url.db, 0);
	assert_string_equal(url.password, "");

	url = parsed("redis://rasad:p%40ss:w/rd@redis.example:6380/3");
	assert_string_equal(url.user, "rasad");
	assert_string_equal(url.password, "p@ss:w/rd");
	assert_string_equal(url.host, "redis.example");
	assert_int_equal(url.port, 6380);
	assert_int_equal(url.db, 3);
	assert_string_equal(url.shown, "redis.example:6380");

	url = parsed("redis://:secret@[2001:db8::1]:6380/");
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "secret");
	assert_string_equal(url.host, "2001:db8::1");
	assert_int_equal(url.port, 6380);
}

static void test_unix(void **state)
{
	(void)state;
	struct redis_url url = parsed("unix:/run/redis.sock");
	assert_string_equal(url.path, "/run/redis.sock");
	url = parsed("unix:///run/redis.sock?db=2&user=u&password=a%26b");
	assert_string_equal(url.path, "/run/redis.sock");
	assert_int_equal(url.db, 2);
	assert_string_equal(url.user, "u");
	assert_string_equal(url.password, "a&b");
	assert_string_equal(url.shown, "unix:/run/redis.sock");
}

static void test_wrong(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"redis",
		"http://a",
		"rediss://a",
		"redis://",
		"redis://:6379",
		"redis://a:0",
		"redis://a:99999",
		"redis://a:x",
		"redis://a/b",
		"redis://a/-1",
		"redis://user@a",
		"redis://[::1",
		"redis://[::1]x",
		"unix:redis.sock",
		"unix:",
		"unix:/a?db=x",
		"unix:/a?database=1",
		"unix:/a?db=",
	};
	struct redis_url url;
	const char *reason;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!redis_url_parse(texts[i], &url, &reason))
			fail_msg("\"%s\" is taken", texts[i]);
		assert_non_null(reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
