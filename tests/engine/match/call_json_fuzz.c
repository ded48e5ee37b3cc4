/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever is posted as a call: read within bounds, or refused with a reason; its names are keys. */
#include <stdlib.h>
#include <string.h>

#include "engine/match/call_json.h"
#include "engine/match/identity.h"
#include "proto/rasad/v1/call.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char error[CALL_JSON_ERROR_SIZE] = "";
	struct identity_key keys[IDENTITY_KEYS_MAX];
	Rasad__V1__CallEvent *call =
		call_from_json((const char *)bytes, n, 1763202900000000000ll, error);

	if (!call) {
		if (!*error)
			abort();
		return 0;
	}
	if (call_check(call) || identity_keys(call, keys) > IDENTITY_KEYS_MAX)
		abort();
	rasad__v1__call_event__free_unpacked(call, NULL);
	return 0;
}
