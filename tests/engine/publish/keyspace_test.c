/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/keyspace.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The first and the last vector of the SipHash-2-4 reference (vectors_sip64). */
static void test_siphash(void **state)
{
	(void)state;
	uint8_t message[64];
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	assert_true(keyspace_hash(message, 0) == 0x726fdb47dd0e0e31);
	assert_true(keyspace_hash(message, 15) == 0xa129ca6149be45e5);
	assert_true(keyspace_hash(message, 63) == 0x958a324ceb064572);
}

static void test_keys(void **state)
{
	(void)state;
	keyspace_key key;
	char sub_id[KEYSPACE_SUB_ID_SIZE];

	keyspace_events(7, key);
	assert_string_equal(key, "rasad:{e07}:ev");
	keyspace_moved(0x1f, "k", key);
	assert_string_equal(key, "rasad:{e1f}:k:k");
	keyspace_sub_id("DSLAM-101 eth 0/1/1:11", sub_id);
	assert_string_equal(sub_id, "b98c12002e206d3a");
	keyspace_card(sub_id, key);
	assert_string_equal(key, "rasad:{s3a}:cards");
	keyspace_sub_id_of(0xb98c12002e206d3a, sub_id);
	assert_string_equal(sub_id, "b98c12002e206d3a");
	keyspace_bucket(0x6d3a, key);
	assert_string_equal(key, "rasad:{s3a}:cards");
	keyspace_bucket(7, key);
	assert_string_equal(key, "rasad:{s07}:cards");
	keyspace_minutes(0xab, key);
	assert_string_equal(key, "rasad:{eab}:min");
	keyspace_health("pcap:eth0", key);
	assert_string_equal(key, "rasad:{h}:health:pcap:eth0");
	keyspace_node("access_node", "DSLAM-101", key);
	assert_string_equal(key, "rasad:{n}:node:access_node:DSLAM-101");
}

static void assert_ip(const char *text, int length, const char *expected)
{
	char out[64];

	assert_int_equal(keyspace_ip(text, length, out), 0);
	assert_string_equal(out, expected);
}

static void test_addresses(void **state)
{
	(void)state;
	assert_ip("100.64.1.11", -1, "100.64.1.11");
	assert_ip("100.64.1.11/32", -1, "100.64.1.11");
	assert_ip("100.64.1.11", 24, "100.64.1.0/24");
	assert_ip("2001:DB8:0:0::1", -1, "2001:db8::1");
	assert_ip("2001:db8:1100:ff::1", 56, "2001:db8:1100::/56");
	assert_ip("2001:db8:1100:ff::/56", -1, "2001:db8:1100::/56");
	assert_ip("2001:db8:1100:ff::/128", -1, "2001:db8:1100:ff::");
	assert_ip("ffff::", 1, "8000::/1");
	static const char *const bad[] = {
		"",	  "u11", "1.2.3",      "1.2.3.4/33", "1.2.3.4/x",
		"::/129", "::/", "1.2.3.4/-1", ":::",	     "02:5a:00:01:01:0b"};
	char out[64];
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(keyspace_ip(bad[i], -1, out), -EINVAL);
}

static void test_macs(void **state)
{
	(void)state;
	static const char *const good[] = {"02:5A:00:01:01:0b", "02-5a-00-01-01-0B",
					   "025a.0001.010b", "025a0001010b"};
	char out[18];
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(keyspace_mac(good[i], out), 0);
		assert_string_equal(out, "02:5a:00:01:01:0b");
	}
	assert_int_equal(keyspace_mac("025a0001010", out), -EINVAL);
	assert_int_equal(keyspace_mac("025a0001010b0", out), -EINVAL);
	assert_int_equal(keyspace_mac("02:5a:00:01:01:0g", out), -EINVAL);
	assert_int_equal(keyspace_mac("", out), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_macs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
