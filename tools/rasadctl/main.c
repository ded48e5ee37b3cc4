/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasadctl: what the publisher left in Redis, on the command line. It reads, and writes only calls.
 *
 * A missing card says that nobody watches the line, or that the key is unknown; it never says
 * that a line is fine.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/publish/redis.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "tools/rasadctl/ctl.h"
#include "version.h"

#define URL_DEFAULT "redis://127.0.0.1:6379"

static const struct command {
	const char *name, *synopsis, *summary;
	const char *options; /* short names of its own */
	int min_arguments, max_arguments;
	int (*run)(struct ctl *ctl);
	const char *help;
} commands[] = {
	{"sub", "sub KEY", "the card of a subscriber's line", "", 1, 1, run_sub,
	 "KEY is a phone number (0..., +98..., 98..., 0098..., Persian digits), a PPP user name, a\n"
	 "circuit-id or line name, an IPv4 or IPv6 address (one within a delegated prefix, too), or\n"
	 "a MAC in any notation. All lines that answer to it are shown.\n"},
	{"lines", "lines [--state STATE] [--sort FIELD] [-n N]", "all lines that are watched",
	 "SOn", 0, 0, run_lines,
	 "  --state STATE   only lines that are up, suspect, down or unknown\n"
	 "  --sort FIELD    name (default), flaps (of 24 h), rtt (access, median) or loss (access)\n"
	 "  -n, --number N  the first N only\n"},
	{"events", "events [--follow] [--since TIME] [--line LINE]", "what happened, by time",
	 "ftl", 0, 0, run_events,
	 "  -f, --follow    wait for new events until interrupted; only new ones without --since\n"
	 "  --since TIME    90s, 10m, 2h, 3d (ago), 2026-11-23, 2026-11-23T15:04:05, @unix-seconds\n"
	 "  --line LINE     only events of this line or PPP user name\n"},
	{"minutes", "minutes [KEY] [--since TIME] [-n N]", "what was measured, minute by minute",
	 "tn", 0, 1, run_minutes,
	 "  KEY             only lines that answer to it, as for sub\n"
	 "  --since TIME    as for events\n"
	 "  -n, --number N  the first N only\n"},
	{"incidents", "incidents [--follow] [--all] [-n N]",
	 "the faults of many lines, one line each", "fan", 0, 0, run_incidents,
	 "Open incidents, the worst first: lines that are affected now, at the worst, and all; where,\n"
	 "by the path from the widest element; since when; how it goes (\u25b2 more, \u25bc fewer, = as many).\n"
	 "  -f, --follow    then every change, until interrupted\n"
	 "  --all           then those that have ended, the newest first (they stay for 30 days)\n"
	 "  -n, --number N  the first N only\n"},
	{"incident", "incident ID [-n N]", "one incident: evidence, timeline, members", "n", 1, 1,
	 run_incident, "  -n, --number N  so many of its members (20)\n"},
	{"card", "card KEY [--lang fa|en]", "a line's card in the words of an agent", "L", 1, 1,
	 run_card,
	 "KEY is as for sub.\n"
	 "  --lang LANG     fa or en (by $LANG)\n"},
	{"call", "call --phone PHONE [--complaint WHAT]", "what the desk answers to a caller",
	 "pNucxitLwA", 0, 0, run_call,
	 "Puts a call into Redis, as a ticket system would, and waits for the answer of a rasad-desk.\n"
	 "  --phone PHONE   of the caller; or --line-number, or --account\n"
	 "  --complaint C   outage, slow, ping, flap or other (default)\n"
	 "  --since TIME    when it began, by the caller; as for events\n"
	 "  --at TIME       when it came in (now)\n"
	 "  --text TEXT     what else was said\n"
	 "  --call-id ID    the same id again gets the same answer\n"
	 "  --wait SECONDS  for the answer (10)\n"
	 "  --lang LANG     fa or en (by $LANG)\n"},
	{"callbacks", "callbacks INCIDENT [-n N]", "whom to call back after a repair", "nL", 1, 1,
	 run_callbacks,
	 "Most urgent first, each looked at again as it is now.\n"
	 "  -n, --number N  so many (50)\n"
	 "  --lang LANG     fa or en (by $LANG)\n"},
	{"export", "export ID [--format FORMAT]", "an incident or answer for a ticket system", "F",
	 1, 1, run_export,
	 "ID is that of an incident or of a call.\n"
	 "  --format F      tmf642 (default), tmf621, servicenow, znuny or jira\n"},
	{"health", "health", "how the collectors are doing", "", 0, 0, run_health, ""},
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct option options[] = {
	{"redis", required_argument, NULL, 'r'},   {"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},	   {"version", no_argument, NULL, 'V'},
	{"state", required_argument, NULL, 'S'},   {"sort", required_argument, NULL, 'O'},
	{"number", required_argument, NULL, 'n'},  {"follow", no_argument, NULL, 'f'},
	{"since", required_argument, NULL, 't'},   {"line", required_argument, NULL, 'l'},
	{"all", no_argument, NULL, 'a'},	   {"lang", required_argument, NULL, 'L'},
	{"phone", required_argument, NULL, 'p'},   {"line-number", required_argument, NULL, 'N'},
	{"account", required_argument, NULL, 'u'}, {"complaint", required_argument, NULL, 'c'},
	{"text", required_argument, NULL, 'x'},	   {"call-id", required_argument, NULL, 'i'},
	{"wait", required_argument, NULL, 'w'},	   {"format", required_argument, NULL, 'F'},
	{"at", required_argument, NULL, 'A'},	   {0},
};

static const char common_help[] =
	"  --redis URL     " REDIS_URL_FORMS ";\n"
	"                  default: $RASAD_REDIS, else " URL_DEFAULT "\n"
	"  -o, --output F  text (default) or json, one object per line\n"
	"  -h, --help      this text (after a command: about the command)\n"
	"  -V, --version   the version\n";

static int print_help(const struct command *command)
{
	if (command) {
		printf("Usage: rasadctl [OPTIONS] %s\n\nShows %s.\n\n%s%s", command->synopsis,
		       command->summary, command->help, *command->help ? "\n" : "");
	} else {
		puts("Usage: rasadctl [OPTIONS] COMMAND\n\nShows what rasad knows about lines, "
		     "from Redis.\n\nCommands:");
		for (size_t i = 0; i < N_COMMANDS; i++)
			printf("  %-9s %s\n", commands[i].name, commands[i].summary);
		puts("");
	}
	printf("Options:\n%s", common_help);
	puts("\nExit: 0 found, 1 not found or failed, 2 wrong usage.");
	return EXIT_OK;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; name && i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool choose(const char *text, const char *const *choices)
{
	for (; *choices; choices++)
		if (!strcmp(text, *choices))
			return true;
	return false;
}

static bool parse_number(const char *text, size_t *number)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*number = value;
	return *text >= '0' && *text <= '9' && !*end && value > 0;
}

/* Takes one option with an argument. Returns what was expected instead, or NULL when it is good. */
static const char *take_option(struct ctl *ctl, int option, const char *value)
{
	static const char *const outputs[] = {"text", "json", NULL};
	static const char *const states[] = {"up", "suspect", "down", "unknown", NULL};
	static const char *const sorts[] = {"name", "flaps", "rtt", "loss", NULL};

	switch (option) {
	case 'r':
		ctl->url = value;
		return NULL;
	case 'o':
		ctl->json = !strcmp(value, "json");
		return choose(value, outputs) ? NULL : "text or json";
	case 'S':
		ctl->state = value;
		return choose(value, states) ? NULL : "up, suspect, down or unknown";
	case 'O':
		ctl->sort = value;
		return choose(value, sorts) ? NULL : "name, flaps, rtt or loss";
	case 'n':
		return parse_number(value, &ctl->number) ? NULL : "a number above 0";
	case 't':
		return parse_since(value, &ctl->since_unix_ns)
			       ? NULL
			       : "10m, 2h, 3d, 2026-11-23, 2026-11-23T15:04 or @unix-seconds";
	case 'l':
		ctl->line = value;
		return NULL;
	case 'a':
		ctl->all = true;
		return NULL;
	case 'f':
		ctl->follow = true;
		return NULL;
	default:
		return take_call_option(ctl, option, value);
	}
}

struct parsed {
	bool help, version;
	char used[32]; /* short names of the commands' own options */
};

static const char *long_name(int option)
{
	for (const struct option *o = options; o->name; o++)
		if (o->val == option)
			return o->name;
	return "?";
}

/* Returns false after complaining. */
static bool parse_options(struct ctl *ctl, int argc, char **argv, struct parsed *parsed)
{
	int option;

	while ((option = getopt_long(argc, argv, "o:hVn:f", options, NULL)) != -1) {
		if (option == '?')
			return false;
		parsed->help |= option == 'h';
		parsed->version |= option == 'V';
		if (option == 'h' || option == 'V')
			continue;
		const char *expected = take_option(ctl, option, optarg);
		if (expected) {
			complain("--%s: \"%s\": expected %s", long_name(option), optarg, expected);
			return false;
		}
		if (!strchr("ro", option) && !strchr(parsed->used, option))
			parsed->used[strlen(parsed->used)] = (char)option;
	}
	return true;
}

static bool check_command(const struct command *command, const struct ctl *ctl, const char *name,
			  const struct parsed *parsed)
{
	if (!command) {
		if (name)
			complain("%s: no such command", name);
		else
			complain("expected a command");
		return false;
	}
	for (const char *option = parsed->used; *option; option++)
		if (!strchr(command->options, *option)) {
			complain("--%s is no option of %s", long_name(*option), command->name);
			return false;
		}
	if (ctl->n_arguments < command->min_arguments ||
	    ctl->n_arguments > command->max_arguments) {
		complain("%s: expected %s", command->name, command->synopsis);
		return false;
	}
	return true;
}

static int usage(void)
{
	fputs("Try: rasadctl --help\n", stderr);
	return EXIT_USAGE;
}

static int run(struct ctl *ctl, const struct command *command)
{
	char error[REDIS_ERROR_SIZE];

	signal(SIGPIPE,
	       SIG_IGN); /* a closed Redis or a closed pager is an error to tell, not to die of */
	ctl->redis = redis_open(ctl->url, error);
	if (!ctl->redis) {
		complain("%s", error);
		return EXIT_TROUBLE;
	}
	int code = command->run(ctl);
	redis_close(ctl->redis);
	json_buffer_fini(&ctl->buffer);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_TROUBLE;
	return code;
}

int main(int argc, char **argv)
{
	const char *url = getenv("RASAD_REDIS");
	const char *no_colour = getenv("NO_COLOR");
	const char *language = getenv("LANG");
	struct ctl ctl = {
		.url = url && *url ? url : URL_DEFAULT,
		.colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour),
		.since_unix_ns = INT64_MIN,
		.english = !language || strncmp(language, "fa", 2),
		.call = {.complaint = RASAD__V1__COMPLAINT__COMPLAINT_OTHER, .wait_s = 10},
	};
	struct parsed parsed = {0};

	if (!parse_options(&ctl, argc, argv, &parsed))
		return usage();
	const char *name = optind < argc ? argv[optind] : NULL;
	const struct command *command = find_command(name);
	if (parsed.version)
		return puts("rasadctl " RASAD_VERSION), EXIT_OK;
	if (parsed.help && (command || !name))
		return print_help(command);
	ctl.arguments = argv + optind + 1;
	ctl.n_arguments = name ? argc - optind - 1 : 0;
	return check_command(command, &ctl, name, &parsed) ? run(&ctl, command) : usage();
}
