/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line a subject: label, then what is known. What is not known is left out, except latency and
 * loss, where "not measured" is said: an agent must not take silence for good news.
 */
#include "engine/match/card_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/facts.h"
#include "engine/match/say.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"

#define RLM	      "\xE2\x80\x8F" /* a line that starts with it is right-to-left */
#define LEFT_TO_RIGHT "\xE2\x81\xA6" /* U+2066 */
#define END_ISOLATE   "\xE2\x81\xA9"
#define BOLD	      "\033[1m"
#define PLAIN	      "\033[0m"
#define CELLS_MAX     96
#define CHANGES_MAX   5
#define LISTED_MAX    4

#define VALUES(...)                                                                                \
	(const struct text_value[])                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define WRITE(page, code, ...)                                                                     \
	text_write((page)->out, (page)->options->language, code, VALUES(__VA_ARGS__),              \
		   sizeof(VALUES(__VA_ARGS__)) / sizeof(struct text_value))

struct page {
	FILE *out;
	const struct card_text_options *options;
	const Rasad__V1__SubscriberCard *card;
	struct facts facts;
	bool first; /* of a line: no separator yet */
};

/* --- lines --- */

static void begin(struct page *page, const char *label)
{
	if (page->options->language == TEXT_FA)
		fputs(RLM, page->out);
	fputs(page->options->colour ? BOLD : "", page->out);
	text_write(page->out, page->options->language, label, NULL, 0);
	fputs(page->options->colour ? ":" PLAIN " " : ": ", page->out);
	page->first = true;
}

static void end(const struct page *page)
{
	fputc('\n', page->out);
}

static void separate(struct page *page)
{
	if (!page->first)
		text_write(page->out, page->options->language, "SEMICOLON", NULL, 0);
	page->first = false;
}

static void write_value(const struct page *page, struct text_value value)
{
	text_write_value(page->out, page->options->language, &value);
}

static struct text_value time_value(const struct page *page, const char *name, int64_t unix_ns)
{
	return (struct text_value){.name = name,
				   .kind = TEXT_TIME,
				   .unix_ns = unix_ns,
				   .now_unix_ns = page->options->now_unix_ns};
}

static struct text_value number_value(const char *name, enum text_kind kind, double number)
{
	return (struct text_value){.name = name, .kind = kind, .number = number};
}

static struct text_value words_value(const struct page *page, const char *name, const char *code)
{
	const char *words = text_template(page->options->language, code);

	return (struct text_value){.name = name, .kind = TEXT_WORDS, .text = words ? words : code};
}

static struct text_value name_value(const char *name, const char *text)
{
	return (struct text_value){.name = name, .kind = TEXT_NAME, .text = text};
}

/* --- the card --- */

static void title(struct page *page)
{
	const Rasad__V1__SubscriberCard *card = page->card;
	const char *line = card->summary ? card->summary->line : card->sub_id;
	const char *user = card->summary ? card->summary->subscriber : "";

	if (page->options->language == TEXT_FA)
		fputs(RLM, page->out);
	fputs(page->options->colour ? BOLD : "", page->out);
	WRITE(page, "CARD_TITLE", name_value("line", line));
	fputs(page->options->colour ? PLAIN : "", page->out);
	for (int i = 0; i < 2; i++) {
		const char *text = i ? user : card->phone;
		if (!*text)
			continue;
		fputs("  ", page->out);
		write_value(page, name_value("", text));
	}
	end(page);
	if (!page->facts.watched) {
		begin(page, "CARD_VERDICT");
		text_write(page->out, page->options->language, "CARD_EXPIRED", NULL, 0);
		end(page);
	}
}

static const char *snr_band(double snr_db)
{
	return snr_db <= 6    ? "BAND_VERY_BAD"
	       : snr_db <= 10 ? "BAND_POOR"
	       : snr_db <= 20 ? "BAND_GOOD"
			      : "BAND_EXCELLENT";
}

static const char *attenuation_band(double attenuation_db)
{
	return attenuation_db > 60   ? "BAND_SEVERE"
	       : attenuation_db > 50 ? "BAND_WEAK"
				     : "BAND_GOOD";
}

static void rate_with_usual(struct page *page, double rate, double usual)
{
	write_value(page, number_value("", TEXT_RATE, rate));
	if (usual <= 0)
		return;
	fputc(' ', page->out);
	WRITE(page, "CARD_USUAL", number_value("rate", TEXT_RATE, usual));
}

static void service(struct page *page)
{
	const Rasad__V1__SubscriberCard *card = page->card;
	const struct facts *facts = &page->facts;

	if (!*card->service && !card->plan_down_kbps && !facts->line_rate_kbps)
		return;
	begin(page, "CARD_SERVICE");
	if (*card->service) {
		separate(page);
		write_value(page, name_value("", card->service));
	}
	if (card->plan_down_kbps) {
		separate(page);
		WRITE(page, "CARD_PLAN", number_value("down", TEXT_RATE, card->plan_down_kbps));
	}
	if (facts->line_rate_kbps) {
		separate(page);
		text_write(page->out, page->options->language, "CARD_LINE_RATE", NULL, 0);
		fputc(' ', page->out);
		rate_with_usual(page, facts->line_rate_kbps, facts->usual_line_rate_kbps);
	}
	end(page);
}

static void quality(struct page *page)
{
	const struct facts *facts = &page->facts;
	int64_t age = page->options->now_unix_ns - page->card->line_sample_unix_ns;

	if (!facts->has_snr && !facts->has_attenuation)
		return;
	begin(page, "CARD_QUALITY");
	if (facts->has_snr) {
		separate(page);
		WRITE(page, "CARD_SNR", number_value("snr", TEXT_DECIMAL, facts->snr_db),
		      words_value(page, "band", snr_band(facts->snr_db)));
	}
	if (facts->has_attenuation) {
		separate(page);
		WRITE(page, "CARD_ATTENUATION",
		      number_value("att", TEXT_DECIMAL, facts->attenuation_db),
		      words_value(page, "band", attenuation_band(facts->attenuation_db)));
	}
	if (page->card->line_sample_unix_ns && age >= 0) {
		separate(page);
		WRITE(page, "CARD_SAMPLE_AGE",
		      number_value("age", TEXT_DURATION, (double)age / (double)NS_PER_S));
	}
	end(page);
}

static const char *cause_code(int cause)
{
	static const char *const codes[] = {
		"CAUSE_UNSPECIFIED",	 "CAUSE_LINE_LOST",    "CAUSE_CPE_TERM",
		"CAUSE_CPE_POWER",	 "CAUSE_ADMIN",	       "CAUSE_NAS_FAULT",
		"CAUSE_SESSION_TIMEOUT", "CAUSE_IDLE_TIMEOUT", "CAUSE_AUTH_FAIL",
		"CAUSE_RESOURCE",	 "CAUSE_REPLACED",     "CAUSE_LOOPBACK",
		"CAUSE_UNKNOWN",
	};

	return cause >= 0 && cause < 13 ? codes[cause] : codes[12];
}

static void session(struct page *page)
{
	static const char *const states[] = {"STATE_UNKNOWN", "STATE_UP", "STATE_SUSPECT",
					     "STATE_DOWN"};
	const struct facts *facts = &page->facts;
	bool down = facts->state == RASAD__V1__LINE_STATE__LINE_STATE_DOWN;
	int64_t since = down ? facts->down_since_unix_ns : facts->up_since_unix_ns;

	begin(page, "CARD_SESSION");
	separate(page);
	text_write(page->out, page->options->language,
		   states[facts->state >= 0 && facts->state < 4 ? facts->state : 0], NULL, 0);
	if (since) {
		fputc(' ', page->out);
		WRITE(page, "CARD_SINCE", time_value(page, "t", since));
	}
	if (page->card->has_last_down_unix_ns_case) {
		separate(page);
		WRITE(page, "CARD_LAST_DROP", time_value(page, "t", page->card->last_down_unix_ns),
		      words_value(page, "cause", cause_code(facts->drop_cause)));
	}
	end(page);
	begin(page, "CARD_FLAPS");
	WRITE(page, "CARD_FLAP_COUNTS", number_value("m", TEXT_COUNT, page->card->flaps_5m),
	      number_value("h", TEXT_COUNT, page->card->flaps_1h),
	      number_value("d", TEXT_COUNT, page->card->flaps_24h));
	end(page);
}

static void segment(struct page *page, const struct measure *measure, const char *plain,
		    const char *with_usual)
{
	if (!measure->n)
		return;
	separate(page);
	WRITE(page, measure->usual_ms > 0 && with_usual ? with_usual : plain,
	      number_value("ms", TEXT_DECIMAL, measure->p50_ms),
	      number_value("usual", TEXT_DECIMAL, measure->usual_ms));
}

static void latency(struct page *page)
{
	const struct facts *facts = &page->facts;

	begin(page, "CARD_LATENCY");
	segment(page, &facts->line, "CARD_TO_MODEM", "CARD_TO_MODEM_USUAL");
	segment(page, &facts->home, "CARD_HOME", NULL);
	if (!facts->home.n)
		segment(page, &facts->access, "FACT_ACCESS", "FACT_ACCESS_USUAL");
	segment(page, &facts->internet, "CARD_INTERNET", "CARD_INTERNET_USUAL");
	if (page->first)
		text_write(page->out, page->options->language, "CARD_NOT_MEASURED", NULL, 0);
	end(page);
}

/* "0.02%" or "not measured", as words for a placeholder. */
static char *loss_words(const struct page *page, const struct ratio *ratio)
{
	char *words = NULL;
	size_t n;
	FILE *out = open_memstream(&words, &n);
	double packets = ratio->packets ? (double)ratio->packets : 1;
	const struct text_value share =
		number_value("v", TEXT_DECIMAL, 100.0 * (double)ratio->lost / packets);

	if (!out)
		return NULL;
	if (ratio->packets)
		text_write(out, page->options->language, "UNIT_share", &share, 1);
	else
		text_write(out, page->options->language, "CARD_NOT_MEASURED", NULL, 0);
	fclose(out);
	return words;
}

static void loss(struct page *page)
{
	char *access = loss_words(page, &page->facts.access_loss);
	char *internet = loss_words(page, &page->facts.internet_loss);

	begin(page, "CARD_LOSS");
	WRITE(page, "CARD_LOSS_SIDES",
	      (struct text_value){.name = "access", .kind = TEXT_WORDS, .text = access},
	      (struct text_value){.name = "internet", .kind = TEXT_WORDS, .text = internet});
	end(page);
	free(access);
	free(internet);
}

static void speed(struct page *page)
{
	const Rasad__V1__SubscriberCard *card = page->card;

	if (!card->has_peak_down_kbps_case)
		return;
	begin(page, "CARD_SPEED");
	rate_with_usual(page, card->peak_down_kbps, card->usual ? card->usual->peak_down_kbps : 0);
	end(page);
}

/* One cell for 15 minutes, oldest first. Runs left to right also in Persian: it is a time line. */
static void strip(struct page *page)
{
	static const char *const cells[] = {"?", "·", "▲", "~", "■"};
	const Rasad__V1__SubscriberCard *card = page->card;
	size_t first = card->n_strip > CELLS_MAX ? card->n_strip - CELLS_MAX : 0;

	if (!card->n_strip)
		return;
	begin(page, "CARD_LAST_DAY");
	fputs(LEFT_TO_RIGHT, page->out);
	for (size_t i = first; i < card->n_strip; i++) {
		int cell = (int)card->strip[i];
		fputs(cells[cell >= 0 && cell < 5 ? cell : 0], page->out);
	}
	fputs(END_ISOLATE " (", page->out);
	text_write(page->out, page->options->language, "CARD_LEGEND", NULL, 0);
	fputc(')', page->out);
	end(page);
}

static void changes(struct page *page)
{
	const Rasad__V1__SubscriberCard *card = page->card;
	size_t first = card->n_changes > CHANGES_MAX ? card->n_changes - CHANGES_MAX : 0;
	char code[64];

	if (!card->n_changes)
		return;
	begin(page, "CARD_CHANGES");
	for (size_t i = first; i < card->n_changes; i++) {
		const Rasad__V1__LineChange *change = card->changes[i];
		snprintf(code, sizeof(code), "WHAT_%s", change->what);
		bool known = text_template(page->options->language, code);
		separate(page);
		WRITE(page, "CARD_CHANGE", time_value(page, "t", change->unix_ns),
		      known ? words_value(page, "what", code) : name_value("what", change->what),
		      name_value("before", change->before), name_value("after", change->after));
	}
	end(page);
}

static void place(struct page *page)
{
	const Rasad__V1__SubscriberCard *card = page->card;
	const char *const parts[][2] = {{"exchange", card->exchange},
					{"access_node", card->node},
					{"card", card->card},
					{"port", card->port},
					{"cabinet", card->cabinet}};
	size_t n = sizeof(parts) / sizeof(*parts), known = 0;

	for (size_t i = 0; i < n; i++)
		known += *parts[i][1] != 0;
	if (!known)
		return;
	begin(page, "CARD_PLACE");
	for (size_t i = 0; i < n; i++) {
		if (!*parts[i][1])
			continue;
		separate(page);
		say_group(page->out, page->options->language, parts[i][0], parts[i][1]);
	}
	end(page);
}

static void ticket(struct page *page)
{
	if (!*page->card->open_ticket)
		return;
	begin(page, "CARD_TICKET");
	write_value(page, name_value("", page->card->open_ticket));
	end(page);
}

/* --- the verdict --- */

static const char *verdict_code(int verdict)
{
	static const char *const codes[] = {"VERDICT_MONITORING_UNAVAILABLE",
					    "VERDICT_MATCHED",
					    "VERDICT_PROBABLE",
					    "VERDICT_AMBIGUOUS",
					    "VERDICT_NO_FAULT_FOUND",
					    "VERDICT_INSUFFICIENT_DATA",
					    "VERDICT_UNKNOWN_SUBSCRIBER",
					    "VERDICT_MONITORING_UNAVAILABLE"};

	return codes[verdict >= 0 && verdict <= 7 ? verdict : 0];
}

static void verdict(struct page *page, const Rasad__V1__CallMatch *match)
{
	bool fa = page->options->language == TEXT_FA;

	begin(page, "CARD_VERDICT");
	text_write(page->out, page->options->language, verdict_code((int)match->verdict), NULL, 0);
	/* How sure nothing is known of is no number to read out. */
	if (match->n_hypotheses && match->probability > 0 &&
	    match->verdict != RASAD__V1__VERDICT__VERDICT_INSUFFICIENT_DATA) {
		fputs(" (", page->out);
		write_value(page, number_value("", TEXT_PERCENT, match->probability));
		fputs(fa ? "٪)" : "%)", page->out);
	}
	end(page);
	begin(page, "CARD_SAY");
	fputs(fa ? match->text_fa : match->text_en, page->out);
	end(page);
	begin(page, "CARD_NEXT");
	fputs(fa ? match->recommended_action_fa : match->recommended_action, page->out);
	end(page);
}

static void blind_spots(struct page *page, const Rasad__V1__CallMatch *match)
{
	if (!match->n_cannot_see)
		return;
	begin(page, "CARD_BLIND");
	for (size_t i = 0; i < match->n_cannot_see; i++) {
		separate(page);
		text_write(page->out, page->options->language, match->cannot_see[i], NULL, 0);
	}
	end(page);
}

static const char *kind_code(int kind)
{
	static const char *const codes[] = {
		"KIND_NONE_FOUND", "KIND_INCIDENT",	  "KIND_OWN_LINE", "KIND_CPE_HOME",
		"KIND_ACCOUNT",	   "KIND_OWN_SATURATION", "KIND_UPSTREAM", "KIND_NONE_FOUND"};

	return codes[kind >= 0 && kind <= 7 ? kind : 0];
}

static void hypothesis(struct page *page, const Rasad__V1__Hypothesis *one)
{
	bool fa = page->options->language == TEXT_FA;

	fputs(fa ? RLM "  " : "  ", page->out);
	write_value(page, number_value("", TEXT_PERCENT, one->posterior));
	fputs(fa ? "٪ " : "% ", page->out);
	WRITE(page, kind_code((int)one->kind), name_value("node", one->ref));
	end(page);
	for (size_t i = 0; i < one->n_reasons; i++) {
		const Rasad__V1__Reason *reason = one->reasons[i];
		/* The sign stays on the left of its number. */
		fprintf(page->out, "%s      %s%c", fa ? RLM : "", fa ? LEFT_TO_RIGHT : "",
			reason->weight < 0 ? '-' : '+');
		write_value(page, number_value("", TEXT_DECIMAL, fabs(reason->weight)));
		fputs(fa ? END_ISOLATE " " : " ", page->out);
		say_reason(page->out, page->options->language, reason);
		end(page);
	}
}

void match_text(FILE *out, const Rasad__V1__CallMatch *match,
		const struct card_text_options *options)
{
	struct page page = {.out = out, .options = options};

	verdict(&page, match);
	blind_spots(&page, match);
	if (!match->n_hypotheses ||
	    match->verdict == RASAD__V1__VERDICT__VERDICT_UNKNOWN_SUBSCRIBER)
		return;
	begin(&page, "CARD_HYPOTHESES");
	end(&page);
	for (size_t i = 0; i < match->n_hypotheses && i < LISTED_MAX; i++)
		hypothesis(&page, match->hypotheses[i]);
}

void card_text(FILE *out, const Rasad__V1__SubscriberCard *card, const Rasad__V1__CallMatch *match,
	       const struct card_text_options *options)
{
	struct page page = {
		.out = out,
		.options = options,
		.card = card,
		.facts = facts_of(card, NULL, options->now_unix_ns, options->wall_unix_ms),
	};

	title(&page);
	if (match)
		verdict(&page, match);
	service(&page);
	quality(&page);
	session(&page);
	latency(&page);
	loss(&page);
	speed(&page);
	strip(&page);
	changes(&page);
	place(&page);
	ticket(&page);
	if (match)
		blind_spots(&page, match);
}
