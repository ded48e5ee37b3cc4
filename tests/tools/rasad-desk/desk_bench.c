/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How soon a desk answers: a million subscribers and 200 open incidents in a redis-server of its
 * own (unix socket, appendonly), a rasad-desk as its child, and calls over HTTP from this process.
 *
 * The load is open: calls begin by the clock, whether or not earlier ones were answered, and a
 * call's time runs from the moment when it was due. A fifth of the callers hang on an element with
 * an incident, the rest anywhere. Usage: desk_bench [LINES [CALLS_A_SECOND [SECONDS [LAPS]]]].
 * Lines: name, value, unit; of the median lap.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"
#include "tests/engine/publish/server.h"

#define INCIDENTS      200
#define LINES_PER_NODE 1000
#define CONNECTIONS    32
#define BATCH	       512
#define NS	       1000000000ll
#define LAPS_MAX       99

struct bench {
	size_t lines, rate, seconds, laps;
	struct server server;
	struct redis *redis;
	pid_t desk;
	uint16_t port;
	int64_t now_ns; /* of the cards */
	unsigned run;	/* so that no call_id comes again */
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "desk_bench: %s\n", what);
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* --- what is in Redis --- */

static void read_replies(struct bench *bench, size_t n)
{
	struct redis_reply *reply;

	for (; n; n--) {
		need(!redis_next(bench->redis, &reply), "connection lost");
		need(redis_type(reply) != REDIS_REFUSED, redis_text(reply, NULL));
		redis_reply_free(reply);
	}
}

static void set(struct bench *bench, const char *command, const char *key, const char *field,
		const ProtobufCMessage *message)
{
	static uint8_t bytes[1 << 20];
	const char *arguments[4] = {command, key, field};
	size_t n = field ? 3 : 2, lengths[4];

	arguments[n] = (char *)bytes;
	for (size_t i = 0; i < n; i++)
		lengths[i] = strlen(arguments[i]);
	lengths[n] = protobuf_c_message_pack(message, bytes);
	need(!redis_append(bench->redis, n + 1, arguments, lengths), "out of memory");
}

struct names {
	char line[48], phone[20], user[24], node[24], card[24], exchange[24], sub_id[17];
};

static void name_line(unsigned i, struct names *names)
{
	snprintf(names->line, sizeof(names->line), "DSLAM-%u eth 0/%u/%u", i / LINES_PER_NODE,
		 i / 50 % 20, i % 50);
	snprintf(names->phone, sizeof(names->phone), "+9821%08u", 20000000 + i);
	snprintf(names->user, sizeof(names->user), "u%u@isp.test", i);
	snprintf(names->node, sizeof(names->node), "DSLAM-%u", i / LINES_PER_NODE);
	snprintf(names->card, sizeof(names->card), "DSLAM-%u/%u", i / LINES_PER_NODE, i / 50 % 20);
	snprintf(names->exchange, sizeof(names->exchange), "EX-%u", i / 20000);
	keyspace_sub_id(names->line, names->sub_id);
}

static bool is_cut(const struct bench *bench, unsigned i)
{
	return i / LINES_PER_NODE < INCIDENTS && i < bench->lines;
}

static void put_line(struct bench *bench, unsigned i)
{
	struct names names;
	keyspace_key bucket, phone;
	Rasad__V1__SubscriberCard card = RASAD__V1__SUBSCRIBER_CARD__INIT;
	Rasad__V1__SubscriberSummary summary = RASAD__V1__SUBSCRIBER_SUMMARY__INIT;
	Rasad__V1__RttSegments rtt = RASAD__V1__RTT_SEGMENTS__INIT;
	Rasad__V1__Distribution line = RASAD__V1__DISTRIBUTION__INIT, access, internet;
	Rasad__V1__GroupRef groups[3], *pointers[3] = {groups, groups + 1, groups + 2};
	Rasad__V1__SubscriberIndex index = RASAD__V1__SUBSCRIBER_INDEX__INIT;

	name_line(i, &names);
	char *refs[3][2] = {
		{"access_node", names.node}, {"card", names.card}, {"exchange", names.exchange}};
	for (int g = 0; g < 3; g++) {
		rasad__v1__group_ref__init(&groups[g]);
		groups[g].group_type = refs[g][0];
		groups[g].group = refs[g][1];
	}
	line.n = 60;
	line.p50_us = 9000;
	line.p95_us = 11000;
	access = internet = line;
	internet.p50_us = 30000;
	rtt.line = &line;
	rtt.access = &access;
	rtt.internet = &internet;
	summary.line = summary.circuit_id = names.line;
	summary.subscriber = names.user;
	summary.rtt = &rtt;
	summary.state = is_cut(bench, i) ? RASAD__V1__LINE_STATE__LINE_STATE_DOWN
					 : RASAD__V1__LINE_STATE__LINE_STATE_UP;
	card.sub_id = names.sub_id;
	card.unix_ns = bench->now_ns;
	card.summary = &summary;
	card.phone = names.phone;
	card.exchange = names.exchange;
	card.node = names.node;
	card.card = names.card;
	card.groups = pointers;
	card.n_groups = 3;
	card.has_up_since_unix_ns_case =
		RASAD__V1__SUBSCRIBER_CARD__HAS_UP_SINCE_UNIX_NS_UP_SINCE_UNIX_NS;
	card.up_since_unix_ns = bench->now_ns - 86400 * NS;
	card.valid_until_unix_ms = bench->now_ns / 1000000 + 3600 * 1000;
	index.sub_ids = (char *[]){names.sub_id};
	index.n_sub_ids = 1;
	keyspace_card(names.sub_id, bucket);
	keyspace_index(KEYSPACE_PHONE, names.phone, phone);
	set(bench, "HSET", bucket, names.sub_id, &card.base);
	set(bench, "SET", phone, NULL, &index.base);
}

static int by_number(const void *a, const void *b)
{
	uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;

	return (l > r) - (l < r);
}

static void put_members(struct bench *bench, unsigned node, const char *id)
{
	static uint64_t down[LINES_PER_NODE];
	static uint32_t after[LINES_PER_NODE];
	Rasad__V1__MemberSet members = RASAD__V1__MEMBER_SET__INIT;
	keyspace_key key;

	for (unsigned i = 0; i < LINES_PER_NODE; i++) {
		struct names names;
		name_line(node * LINES_PER_NODE + i, &names);
		down[i] = strtoull(names.sub_id, NULL, 16);
	}
	qsort(down, LINES_PER_NODE, sizeof(*down), by_number);
	members.incident_id = (char *)id;
	members.revision = 1;
	members.down = down;
	members.down_after_s = after;
	members.n_down = members.n_down_after_s = LINES_PER_NODE;
	keyspace_incident_members(id, key);
	set(bench, "SET", key, NULL, &members.base);
}

static void put_incident(struct bench *bench, unsigned node)
{
	Rasad__V1__Incident incident = RASAD__V1__INCIDENT__INIT;
	char id[32], score[32], group[24];
	keyspace_key key;

	snprintf(id, sizeof(id), "BENCH-%04u", node);
	snprintf(group, sizeof(group), "DSLAM-%u", node);
	incident.incident_id = id;
	incident.revision = 1;
	incident.state = RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN;
	incident.class_ = RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_NODE_OR_UPLINK;
	incident.category = RASAD__V1__CATEGORY__CATEGORY_EXCHANGE_TRANSPORT;
	incident.severity = RASAD__V1__SEVERITY__SEVERITY_MAJOR;
	incident.group_type = "access_node";
	incident.group = group;
	incident.onset_unix_ns = bench->now_ns - 600 * NS;
	incident.open_unix_ns = incident.changed_unix_ns = incident.onset_unix_ns + 15 * NS;
	incident.affected = incident.affected_peak = incident.members = LINES_PER_NODE;
	incident.affected_total = LINES_PER_NODE;
	incident.confidence = 0.98;
	keyspace_incident(id, key);
	set(bench, "SET", key, NULL, &incident.base);
	put_members(bench, node, id);
	snprintf(score, sizeof(score), "%.0f", incident.severity * 1e10);
	const char *zadd[] = {"ZADD", KEYSPACE_INCIDENTS_OPEN, score, id};
	need(!redis_append(bench->redis, 4, zadd,
			   (const size_t[]){4, strlen(KEYSPACE_INCIDENTS_OPEN), strlen(score),
					    strlen(id)}),
	     "out of memory");
}

static void fill(struct bench *bench)
{
	char error[REDIS_ERROR_SIZE];

	server_start(&bench->server);
	bench->redis = redis_open(bench->server.url, error);
	need(bench->redis, error);
	bench->now_ns = clock_ns(CLOCK_REALTIME);
	/* The file that filling leaves would be rewritten while we measure. */
	const char *no_rewrite[] = {"CONFIG", "SET", "auto-aof-rewrite-percentage", "0", NULL};
	redis_reply_free(server_ask(bench->redis, no_rewrite));
	for (unsigned i = 0, waiting = 0; i < bench->lines; i++) {
		put_line(bench, i);
		if (++waiting == BATCH || i + 1 == bench->lines) {
			read_replies(bench, 2 * waiting);
			waiting = 0;
		}
	}
	for (unsigned node = 0; node < INCIDENTS; node++) {
		put_incident(bench, node);
		read_replies(bench, 3);
	}
}

/* --- the desk --- */

static void run_desk(const struct bench *bench, int out)
{
	const char *folder = getenv("RASAD_BIN");
	char path[512];

	snprintf(path, sizeof(path), "%s/rasad-desk", folder ? folder : "build/bin");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDERR_FILENO);
	execl(path, path, "--redis", bench->server.url, "--listen", "127.0.0.1:0", (char *)NULL);
	_exit(127);
}

static void start_desk(struct bench *bench)
{
	int ends[2];
	char said[256] = "";
	const char *at;

	need(!pipe(ends), "pipe");
	bench->desk = fork();
	if (!bench->desk)
		run_desk(bench, ends[1]);
	close(ends[1]);
	need(read(ends[0], said, sizeof(said) - 1) > 0, "rasad-desk does not start");
	at = strstr(said, "port ");
	need(at, said);
	bench->port = (uint16_t)atoi(at + 5);
}

static int connect_to(const struct bench *bench)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(bench->port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	need(fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)),
	     "cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* --- the load --- */

struct lap {
	double p50_ms, p99_ms, p999_ms, max_ms;
	size_t bad; /* answers other than 200 */
};

struct caller {
	int fd;
	int64_t due_ns; /* 0: free */
	size_t n;	/* of the answer, so far */
	char answer[32768];
};

struct load {
	struct bench *bench;
	int epoll;
	struct caller callers[CONNECTIONS];
	double *ms;
	size_t sent, answered, bad;
};

static void send_call(struct load *load, struct caller *caller, int64_t due_ns)
{
	struct bench *bench = load->bench;
	char body[256], request[512];
	unsigned i = (unsigned)rand() % (unsigned)bench->lines;
	struct names names;

	if (load->sent % 5 == 0)
		i %= INCIDENTS * LINES_PER_NODE;
	name_line(i, &names);
	int n_body = snprintf(
		body, sizeof(body),
		"{\"call_id\":\"bench-%u-%zu\",\"phone\":\"0%s\",\"complaint\":\"%s\"}", bench->run,
		load->sent, names.phone + 3, load->sent % 3 ? "OUTAGE" : "SLOW");
	int n = snprintf(request, sizeof(request),
			 "POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			 "application/json\r\nContent-Length: %d\r\n\r\n%s",
			 n_body, body);
	need(write(caller->fd, request, (size_t)n) == n, "cannot send");
	caller->due_ns = due_ns;
	caller->n = 0;
	load->sent++;
}

static bool is_complete(const struct caller *caller)
{
	const char *body = strstr(caller->answer, "\r\n\r\n");
	const char *length = strstr(caller->answer, "Content-Length: ");

	return body && length &&
	       (size_t)(body + 4 - caller->answer) + strtoul(length + 16, NULL, 10) <= caller->n;
}

static void take_answer(struct load *load, struct caller *caller)
{
	ssize_t n = read(caller->fd, caller->answer + caller->n,
			 sizeof(caller->answer) - 1 - caller->n);

	need(n > 0, "the desk hung up");
	caller->n += (size_t)n;
	caller->answer[caller->n] = 0;
	if (!is_complete(caller))
		return;
	load->bad += strncmp(caller->answer, "HTTP/1.1 200", 12) != 0;
	load->ms[load->answered++] = (double)(clock_ns(CLOCK_MONOTONIC) - caller->due_ns) / 1e6;
	caller->due_ns = 0;
}

static struct caller *free_caller(struct load *load)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (!load->callers[i].due_ns)
			return &load->callers[i];
	return NULL;
}

static void send_due(struct load *load, int64_t start_ns, size_t total)
{
	struct caller *caller;

	while (load->sent < total) {
		int64_t due_ns = start_ns + (int64_t)load->sent * NS / (int64_t)load->bench->rate;
		if (clock_ns(CLOCK_MONOTONIC) < due_ns || !(caller = free_caller(load)))
			return;
		send_call(load, caller, due_ns);
	}
}

/* The next call may be due before an answer comes: a wait of at most 0.2 ms. */
static void wait_for_answers(struct load *load)
{
	struct epoll_event events[CONNECTIONS];
	const struct timespec patience = {.tv_nsec = 200000};
	int n = epoll_pwait2(load->epoll, events, CONNECTIONS, &patience, NULL);

	for (int i = 0; i < n; i++)
		take_answer(load, events[i].data.ptr);
}

static int by_size(const void *a, const void *b)
{
	double l = *(const double *)a, r = *(const double *)b;

	return (l > r) - (l < r);
}

static struct lap run_lap(struct bench *bench, size_t seconds)
{
	static struct load load;
	size_t total = bench->rate * seconds;
	int64_t start_ns;

	load = (struct load){.bench = bench, .epoll = epoll_create1(0)};
	load.ms = calloc(total, sizeof(*load.ms));
	need(load.ms && load.epoll >= 0, "out of memory");
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &load.callers[i]};
		load.callers[i].fd = connect_to(bench);
		need(!epoll_ctl(load.epoll, EPOLL_CTL_ADD, load.callers[i].fd, &event), "epoll");
	}
	bench->run++;
	start_ns = clock_ns(CLOCK_MONOTONIC);
	while (load.answered < total) {
		send_due(&load, start_ns, total);
		wait_for_answers(&load);
	}
	for (size_t i = 0; i < CONNECTIONS; i++)
		close(load.callers[i].fd);
	close(load.epoll);
	qsort(load.ms, total, sizeof(*load.ms), by_size);
	struct lap lap = {load.ms[total / 2], load.ms[total * 99 / 100],
			  load.ms[total * 999 / 1000], load.ms[total - 1], load.bad};
	free(load.ms);
	return lap;
}

/* Microseconds of CPU that a process has taken. */
static double cpu_us(pid_t pid)
{
	char path[64], text[512];
	unsigned long user = 0, kernel = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	need(file && fgets(text, sizeof(text), file), path);
	fclose(file);
	const char *at = strrchr(text, ')'); /* the name may hold anything */
	need(at && sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			  &kernel) == 2,
	     path);
	return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static int by_p99(const void *a, const void *b)
{
	return by_size(&((const struct lap *)a)->p99_ms, &((const struct lap *)b)->p99_ms);
}

static size_t number(char **argv, int argc, int at, size_t otherwise)
{
	size_t value = argc > at ? strtoul(argv[at], NULL, 10) : otherwise;

	return value ? value : otherwise;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct lap laps[LAPS_MAX];
	size_t bad = 0;

	signal(SIGPIPE, SIG_IGN);
	bench.lines = number(argv, argc, 1, 1000000);
	bench.rate = number(argv, argc, 2, 1000);
	bench.seconds = number(argv, argc, 3, 10);
	bench.laps = number(argv, argc, 4, 3);
	need(bench.lines >= INCIDENTS * LINES_PER_NODE && bench.laps <= LAPS_MAX,
	     "expected at least 200000 lines and at most 99 laps");
	fill(&bench);
	start_desk(&bench);
	run_lap(&bench, 1); /* while it loads, it answers 503 */
	double desk_us = cpu_us(bench.desk), redis_us = cpu_us(bench.server.pid);
	for (size_t i = 0; i < bench.laps; i++) {
		laps[i] = run_lap(&bench, bench.seconds);
		bad += laps[i].bad;
	}
	double calls = (double)(bench.laps * bench.seconds * bench.rate);
	desk_us = (cpu_us(bench.desk) - desk_us) / calls;
	redis_us = (cpu_us(bench.server.pid) - redis_us) / calls;
	qsort(laps, bench.laps, sizeof(*laps), by_p99);
	const struct lap *median = &laps[bench.laps / 2];
	printf("desk-p50 %.3f ms\ndesk-p99 %.3f ms\ndesk-p999 %.3f ms\ndesk-max %.3f ms\n"
	       "desk-best-p99 %.3f ms\ndesk-bad %zu answers\ndesk-cpu %.1f us\n"
	       "desk-redis-cpu %.1f us\n",
	       median->p50_ms, median->p99_ms, median->p999_ms, median->max_ms, laps[0].p99_ms, bad,
	       desk_us, redis_us);
	kill(bench.desk, SIGTERM);
	waitpid(bench.desk, NULL, 0);
	redis_close(bench.redis);
	server_fini(&bench.server);
	return bad != 0;
}
