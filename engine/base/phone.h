/* SPDX-License-Identifier: BSD-3-Clause */
/* Telephone numbers in one form, E.164, whatever way people write them. */
#ifndef RASAD_ENGINE_BASE_PHONE_H
#define RASAD_ENGINE_BASE_PHONE_H

#define PHONE_SIZE 17 /* '+', 15 digits, NUL */

/*
 * "021-8877 6655", "۰۲۱۸۸۷۷۶۶۵۵", "00982188776655" -> "+982188776655". A number without country
 * code is Iran's. Returns 0, or -EINVAL when the text is no number of 7 to 15 digits.
 */
int phone_normalise(const char *text, char out[PHONE_SIZE]);

#endif
