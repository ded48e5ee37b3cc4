/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/redis.h"
#include "engine/publish/redis_url.h"
#include "tools/lib/options.h"
#include "tools/rasad-desk/http.h"
#include "version.h"

#define REDIS_DEFAULT  "redis://127.0.0.1:6379"
#define LISTEN_DEFAULT "127.0.0.1:8470"
#define TOKEN_MIN      16

static const char usage[] = "Usage: rasad-desk [OPTIONS]\n";
static const char shorts[] = "hV";

static const struct option_row table[] = {
	{{"redis", required_argument, NULL, 'r'},
	 "URL",
	 "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix:PATH;\n"
	 "default: $RASAD_REDIS, else " REDIS_DEFAULT},
	{{"listen", required_argument, NULL, 'l'},
	 "ADDRESS:PORT",
	 "where to serve HTTP (" LISTEN_DEFAULT "); port 0: any.\n"
	 "Anything but loopback needs a token"},
	{{"no-http", no_argument, NULL, 'n'}, NULL, "calls from the Redis stream only"},
	{{"token-file", required_argument, NULL, 't'},
	 "FILE",
	 "its first line is the bearer token that requests must bring;\n"
	 "default: $RASAD_DESK_TOKEN, else none"},
	{{"threads", required_argument, NULL, 'T'}, "N", "that answer HTTP, 1..64 (4)"},
	{{"name", required_argument, NULL, 'N'},
	 "NAME",
	 "of this desk among the desks, kept over restarts\n"
	 "(host name and port)"},
	{{"verify-every", required_argument, NULL, 'v'},
	 "SECONDS",
	 "how often lines are looked at after a repair, 1..600 (60)"},
	{{"packet-clock", no_argument, NULL, 'p'},
	 NULL,
	 "the time is what Redis last told of, for captures that are\n"
	 "played; default: real time"},
	{{"offline", required_argument, NULL, 'f'},
	 "FILE",
	 "no Redis: answers the calls of an NDJSON file of cards,\n"
	 "incidents and calls in the order of time"},
	{{"help", no_argument, NULL, 'h'}, NULL, "this text"},
	{{"version", no_argument, NULL, 'V'}, NULL, "version"},
};
enum { N_OPTIONS = sizeof table / sizeof *table };

static int print_help(void)
{
	printf("%s\nAnswers calls of subscribers from what rasadd left in Redis: over HTTP, and from "
	       "the\nstream rasad:{c}:call:in. Many desks may run side by side.\n\n",
	       usage);
	option_help(shorts, table, N_OPTIONS);
	printf("\nSIGTERM and SIGINT end it in good order. Exit code: 0, or 1 when it could not "
	       "serve, or\n2 for wrong usage.\n");
	return 0;
}

static int misused(const char *why)
{
	fprintf(stderr, "rasad-desk: %s\n%sTry 'rasad-desk --help'.\n", why, usage);
	return OPTION_WRONG;
}

static bool is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";

	return *text && strlen(text) < 60 && strspn(text, letters) == strlen(text);
}

static int read_option(struct options *o, int letter)
{
	switch (letter) {
	case 'r':
		o->redis = optarg;
		return OPTION_OK;
	case 'l':
		o->listen_text = optarg;
		return http_parse_address(optarg, &o->listen)
			       ? OPTION_OK
			       : option_wrong("--listen", optarg,
					      "an address and a port like " LISTEN_DEFAULT
					      " or [::1]:8470");
	case 'n':
		o->no_http = true;
		return OPTION_OK;
	case 't':
		o->token_file = optarg;
		return OPTION_OK;
	case 'T':
		return option_number("--threads", optarg, 1, 64, &o->threads);
	case 'N':
		o->name = optarg;
		return is_name(optarg) ? OPTION_OK
				       : option_wrong("--name", optarg,
						      "up to 59 letters, digits, - _ . @");
	case 'v':
		return option_number("--verify-every", optarg, 1, 600, &o->verify_every_s);
	case 'p':
		o->packet_clock = true;
		return OPTION_OK;
	case 'f':
		o->offline = optarg;
		return OPTION_OK;
	case 'h':
		return print_help();
	case 'V':
		return puts("rasad-desk " RASAD_VERSION), 0;
	default:
		return OPTION_WRONG;
	}
}

/* Not an argument: those are seen by everybody on the machine. */
static int read_token(struct options *o)
{
	const char *from_environment = getenv("RASAD_DESK_TOKEN");
	FILE *file;

	if (!o->token_file) {
		snprintf(o->token, sizeof(o->token), "%s",
			 from_environment ? from_environment : "");
	} else {
		file = fopen(o->token_file, "re");
		if (!file || !fgets(o->token, sizeof(o->token), file))
			*o->token = 0;
		if (!file)
			fprintf(stderr, "rasad-desk: %s: %s\n", o->token_file, strerror(errno));
		if (!file)
			return 1;
		fclose(file);
		o->token[strcspn(o->token, "\r\n")] = 0;
	}
	bool given = o->token_file || *o->token;
	if (given && strlen(o->token) < TOKEN_MIN) {
		fprintf(stderr, "rasad-desk: the token is too short: expected at least %d bytes\n",
			TOKEN_MIN);
		return 1;
	}
	return OPTION_OK;
}

static int check(struct options *o)
{
	struct redis_url url;
	const char *why;

	if (redis_url_parse(o->redis, &url, &why)) {
		fprintf(stderr, "rasad-desk: Redis address: %s; expected " REDIS_URL_FORMS "\n",
			why);
		return OPTION_WRONG;
	}
	int status = read_token(o);
	if (status != OPTION_OK)
		return status;
	if (!o->no_http && !*o->token && !http_is_loopback(&o->listen))
		return misused("--listen beyond loopback needs a token (--token-file)");
	return OPTION_OK;
}

int options_read(struct options *o, int argc, char **argv)
{
	const char *url = getenv("RASAD_REDIS");
	int letter;

	*o = (struct options){.redis = url && *url ? url : REDIS_DEFAULT,
			      .listen_text = LISTEN_DEFAULT,
			      .threads = 4,
			      .verify_every_s = 60};
	http_parse_address(LISTEN_DEFAULT, &o->listen);
	while ((letter = option_next(argc, argv, shorts, table, N_OPTIONS)) != -1) {
		int status = read_option(o, letter);
		if (status != OPTION_OK)
			return status;
	}
	return optind < argc ? misused("expected options only") : check(o);
}
