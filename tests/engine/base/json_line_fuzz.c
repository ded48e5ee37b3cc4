/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a line: every text ends within it, and reading comes to an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *line, size_t len, const char *text)
{
	if (*text && (text < line || text + strlen(text) > line + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *line = malloc(len + 1);
	struct json_line l;
	struct json_member m;
	enum json_kind kind;
	size_t n = 0;

	if (!line)
		return 0;
	if (len)
		memcpy(line, data, len);
	l = json_line_begin(line, len);
	while ((kind = json_line_next(&l, &m)) != JSON_END && kind != JSON_WRONG) {
		check_text(line, len, m.key);
		check_text(line, len, m.text);
		if (++n > len || l.at > l.end || (m.whole && kind != JSON_NUMBER))
			abort();
	}
	if ((kind == JSON_WRONG) != (l.wrong != NULL))
		abort();
	free(line);
	return 0;
}
