/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said to DPDK and what it says back, against its manual (EAL parameters). */
#include "collectors/eal_args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ebpf/pkt.h"

/* "net_pcap0/1 0000:3b:00.0/2 -22": names, sides, and how it ended. */
static const char *ports_in(const char *text)
{
	static char said[512];
	struct eal_port port;
	int status;

	*said = '\0';
	while ((status = eal_next_port(&text, &port)) == 1)
		snprintf(said + strlen(said), sizeof said - strlen(said), "%s/%d ", port.name,
			 port.side);
	snprintf(said + strlen(said), sizeof said - strlen(said), "%d", status);
	return said;
}

static void reads_lists_of_ports(void **state)
{
	char long_name[EAL_PORT_NAME + 2];

	(void)state;
	_Static_assert(DIR_UP == 1 && DIR_DOWN == 2, "as written below");
	assert_string_equal(ports_in(""), "0");
	assert_string_equal(ports_in("net_pcap0"), "net_pcap0/0 0");
	assert_string_equal(ports_in("0:access,1:core"), "0/1 1/2 0");
	assert_string_equal(ports_in("0000:3b:00.0"), "0000:3b:00.0/0 0");
	assert_string_equal(ports_in("0000:3b:00.0:access,0000:3b:00.1:core"),
			    "0000:3b:00.0/1 0000:3b:00.1/2 0");
	assert_string_equal(ports_in("a:b"), "a:b/0 0");
	assert_string_equal(ports_in(","), "-22");
	assert_string_equal(ports_in("a,"), "-22");
	assert_string_equal(ports_in("a,,b"), "a/0 -22");
	assert_string_equal(ports_in(":core"), "-22");
	memset(long_name, 'x', sizeof long_name);
	long_name[sizeof long_name - 1] = '\0';
	assert_string_equal(ports_in(long_name), "-22");
}

static const char *command(char *const *user, uint32_t n)
{
	static char said[1024];
	char *arguments[EAL_ARGS_MAX], cpu[16];
	int have = eal_args(arguments, user, n, cpu, 3);

	*said = '\0';
	for (int i = 0; i < have; i++)
		snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", i ? " " : "",
			 arguments[i]);
	assert_true(have < 0 || arguments[have] == NULL);
	return said;
}

#define COMMAND(...)                                                                               \
	command((char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *))

static void adds_what_the_user_need_not_type(void **state)
{
	(void)state;
	assert_string_equal(command(NULL, 0),
			    "rasadd -l 3 --log-level=*:error --no-telemetry --in-memory");
	assert_string_equal(COMMAND("--no-huge"), "rasadd -l 3 --log-level=*:error --no-telemetry "
						  "--no-shconf -m 512 --no-huge");
}

static void the_user_wins(void **state)
{
	(void)state;
	assert_string_equal(COMMAND("-l", "1"),
			    "rasadd --log-level=*:error --no-telemetry --in-memory -l 1");
	assert_string_equal(COMMAND("--lcores=0-1", "--log-level", "8"),
			    "rasadd --no-telemetry --in-memory --lcores=0-1 --log-level 8");
	assert_string_equal(COMMAND("-c1", "--telemetry", "--file-prefix=x"),
			    "rasadd --log-level=*:error -c1 --telemetry --file-prefix=x");
	assert_string_equal(COMMAND("-c1", "--log-level=8", "--no-huge", "-m64"),
			    "rasadd --no-telemetry --no-shconf -c1 --log-level=8 --no-huge -m64");
	assert_string_equal(COMMAND("-c1", "--log-level=8", "--legacy-mem"),
			    "rasadd --no-telemetry --no-shconf -c1 --log-level=8 --legacy-mem");
}

static void refuses_too_many(void **state)
{
	char *user[EAL_ARGS_MAX], *to[EAL_ARGS_MAX], cpu[16];

	(void)state;
	for (int i = 0; i < EAL_ARGS_MAX; i++)
		user[i] = "-v";
	assert_int_equal(eal_args(to, user, EAL_ARGS_MAX, cpu, 0), -E2BIG);
	assert_int_equal(eal_args(to, user, EAL_ARGS_MAX - 7, cpu, 0), EAL_ARGS_MAX - 1);
	assert_int_equal(eal_args(to, user, EAL_ARGS_MAX - 6, cpu, 0), -E2BIG);
}

static void finds_arguments(void **state)
{
	char *args[] = {"--no-huge", "--log-level=3", "-l2", "--vdev", "net_null0"};

	(void)state;
	assert_true(eal_has_arg(args, 5, "--no-huge"));
	assert_true(eal_has_arg(args, 5, "--log-level"));
	assert_true(eal_has_arg(args, 5, "-l"));
	assert_false(eal_has_arg(args, 5, "--no-hug"));
	assert_false(eal_has_arg(args, 5, "--log"));
	assert_false(eal_has_arg(args, 5, "-m"));
	assert_true(eal_chooses_cores(args, 5));
	assert_false(eal_chooses_cores(args, 2));
}

static void picks_reasons_out_of_pages(void **state)
{
	char reason[200], small[12];

	(void)state;
	eal_reason("EAL: Detected CPU lcores: 2\nrasadd: unrecognized option '--foo'\n\n"
		   "Usage: rasadd [options]\n\n  --vdev   Add a device (ex: --vdev=net_null0)\n"
		   "EAL: FATAL: Invalid 'command line' arguments.\n"
		   "EAL: Invalid 'command line' arguments.\n",
		   reason, sizeof reason);
	assert_string_equal(
		reason, "unrecognized option '--foo'; FATAL: Invalid 'command line' arguments.");
	eal_reason("open_single_rx_pcap(): Couldn't open /x\nlast line: no newline", reason,
		   sizeof reason);
	assert_string_equal(reason, "Couldn't open /x");
	eal_reason("a: 1\nb: 2\nc: 3\nd: 4\n", reason, sizeof reason);
	assert_string_equal(reason, "1; 2; 3");
	eal_reason("x: a long reason that is cut\ny: no more\n", small, sizeof small);
	assert_string_equal(small, "a long reas");
	eal_reason("", reason, sizeof reason);
	assert_string_equal(reason, "");
	eal_reason(":\n: \nx:\nx: \n", reason, sizeof reason);
	assert_string_equal(reason, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists_of_ports),
		cmocka_unit_test(adds_what_the_user_need_not_type),
		cmocka_unit_test(the_user_wins),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(finds_arguments),
		cmocka_unit_test(picks_reasons_out_of_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
