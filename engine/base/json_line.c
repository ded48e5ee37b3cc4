/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/json_line.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

struct json_line json_line_begin(char *line, uint64_t length)
{
	line[length] = '\0';
	return (struct json_line){.at = line, .end = line + length};
}

static enum json_kind wrong(struct json_line *l, const char *what)
{
	l->wrong = what;
	return JSON_WRONG;
}

static void skip_space(struct json_line *l)
{
	while (l->at < l->end &&
	       (*l->at == ' ' || *l->at == '\t' || *l->at == '\r' || *l->at == '\n'))
		l->at++;
}

static bool take(struct json_line *l, char c)
{
	skip_space(l);
	if (l->at == l->end || *l->at != c)
		return false;
	l->at++;
	return true;
}

static int hex(const char *at)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		char c = at[i], lower = (char)(c | 0x20);
		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + lower - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* "\uXXXX", a pair of them beyond the BMP; what is no character, and NUL, becomes U+FFFD. */
static bool unicode(struct json_line *l, char **to)
{
	int c = l->end - l->at >= 4 ? hex(l->at) : -1, low;
	if (c < 0)
		return false;
	l->at += 4;
	if (c >= 0xd800 && c < 0xdc00 && l->end - l->at >= 6 && l->at[0] == '\\' &&
	    l->at[1] == 'u' && (low = hex(l->at + 2)) >= 0xdc00 && low < 0xe000) {
		l->at += 6;
		*to = put_utf8(*to, 0x10000u + ((uint32_t)(c - 0xd800) << 10) +
					    (uint32_t)(low - 0xdc00));
		return true;
	}
	*to = put_utf8(*to, c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : (uint32_t)c);
	return true;
}

static bool escape(struct json_line *l, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *found;
	if (l->at == l->end)
		return false;
	if (*l->at == 'u') {
		l->at++;
		return unicode(l, to);
	}
	found = *l->at ? strchr(from, *l->at) : NULL;
	if (!found)
		return false;
	l->at++;
	*(*to)++ = into[found - from];
	return true;
}

/* After the opening quote. What is unescaped is never longer than what was read. */
static const char *text(struct json_line *l)
{
	char *start = l->at, *to = start;
	while (l->at < l->end && *l->at != '"') {
		char c = *l->at++;
		if (c == '\\' ? !escape(l, &to) : (uint8_t)c < 0x20)
			return NULL;
		if (c != '\\')
			*to++ = c;
	}
	if (l->at == l->end)
		return NULL;
	l->at++;
	*to = '\0';
	return start;
}

/* Stepped over: what stands between brackets is not looked at, only that they match. */
static enum json_kind nested(struct json_line *l)
{
	char open[DEPTH_MAX];
	int depth = 0;
	do {
		char c = *l->at++;
		if (c == '"' && !text(l))
			return wrong(l, "a string that does not end");
		if ((c == '{' || c == '[') && depth == DEPTH_MAX)
			return wrong(l, "too deep");
		if (c == '{' || c == '[')
			open[depth++] = c;
		if ((c == '}' || c == ']') && open[--depth] != (c == '}' ? '{' : '['))
			return wrong(l, "brackets that do not match");
	} while (depth && l->at < l->end);
	return depth ? wrong(l, "an object that does not end") : JSON_NESTED;
}

static const char *skip_digits(const char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* number = [ "-" ] int [ "." digits ] [ ( "e" / "E" ) [ "+" / "-" ] digits ] */
static bool is_number(const char *at)
{
	const char *from = *at == '-' ? at + 1 : at;
	at = skip_digits(from);
	if (at == from || (*from == '0' && at > from + 1))
		return false;
	if (*at == '.') {
		from = at + 1;
		at = skip_digits(from);
		if (at == from)
			return false;
	}
	if ((*at | 0x20) == 'e') {
		from = at[1] == '+' || at[1] == '-' ? at + 2 : at + 1;
		at = skip_digits(from);
		if (at == from)
			return false;
	}
	return *at == '\0';
}

/* A value for its spelling. A terminator takes the place of the delimiter, which is remembered. */
static enum json_kind bare(struct json_line *l, struct json_member *m)
{
	char *start = l->at, *end;
	uint64_t value = 0;
	bool minus = *start == '-', digits = true;
	while (l->at < l->end && *l->at && !strchr(",}] \t\r\n", *l->at))
		l->at++;
	end = l->at;
	for (const char *c = start + minus; c < end && digits; c++) {
		digits = *c >= '0' && *c <= '9' && value <= (INT64_MAX - 9) / 10;
		value = digits ? value * 10 + (uint64_t)(*c - '0') : 0;
	}
	m->whole = digits && end > start + minus;
	m->number = minus ? -(int64_t)value : (int64_t)value;
	m->text = start;
	if (end < l->end && !*end)
		return wrong(l, "a NUL");
	if (end < l->end) {
		l->delimiter = *end;
		l->at++;
		*end = '\0';
	}
	if (is_number(start))
		return JSON_NUMBER;
	if (strcmp(start, "true") == 0 || strcmp(start, "false") == 0 || strcmp(start, "null") == 0)
		return JSON_WORD;
	return wrong(l, "a value that is neither text, number, true, false nor null");
}

static enum json_kind value(struct json_line *l, struct json_member *m)
{
	skip_space(l);
	m->whole = false;
	m->text = "";
	if (l->at == l->end)
		return wrong(l, "a value is missing");
	if (*l->at == '{' || *l->at == '[')
		return nested(l);
	if (*l->at != '"')
		return bare(l, m);
	l->at++;
	m->text = text(l);
	return m->text ? JSON_TEXT : wrong(l, "a string that does not end, or a bad escape");
}

static char next_delimiter(struct json_line *l)
{
	char c = l->delimiter;
	l->delimiter = '\0';
	if (c == ',' || c == '}')
		return c;
	skip_space(l);
	return l->at < l->end ? *l->at++ : '\0';
}

enum json_kind json_line_next(struct json_line *l, struct json_member *m)
{
	char c = next_delimiter(l);
	if (l->begun && c == '}') {
		skip_space(l);
		return l->at == l->end ? JSON_END : wrong(l, "more behind the object");
	}
	if (c != (l->begun ? ',' : '{'))
		return wrong(l, l->begun ? "',' or '}' expected" : "'{' expected");
	skip_space(l);
	if (!l->begun && l->at < l->end && *l->at == '}') {
		l->at++;
		skip_space(l);
		return l->at == l->end ? JSON_END : wrong(l, "more behind the object");
	}
	l->begun = true;
	m->key = take(l, '"') ? text(l) : NULL;
	if (!m->key)
		return wrong(l, "a name in quotes expected");
	return take(l, ':') ? value(l, m) : wrong(l, "':' expected");
}
