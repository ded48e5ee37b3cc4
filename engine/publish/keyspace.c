/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. */
#include "engine/publish/keyspace.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255

/* Names are chosen by no attacker that knows a secret here: the key is only part of the contract. */
#define HASH_KEY_0 0x0706050403020100u
#define HASH_KEY_1 0x0f0e0d0c0b0a0908u

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t little_endian(const uint8_t *bytes, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
}

uint64_t keyspace_hash(const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	uint64_t v[4] = {HASH_KEY_0 ^ 0x736f6d6570736575u, HASH_KEY_1 ^ 0x646f72616e646f6du,
			 HASH_KEY_0 ^ 0x6c7967656e657261u, HASH_KEY_1 ^ 0x7465646279746573u};

	for (size_t left = n; left >= 8; left -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		sip_word(v, le64toh(word));
	}
	sip_word(v, little_endian(at, n % 8) | (uint64_t)n << 56);
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void keyspace_sub_id(const char *line, char out[KEYSPACE_SUB_ID_SIZE])
{
	keyspace_sub_id_of(keyspace_hash(line, strlen(line)), out);
}

void keyspace_sub_id_of(uint64_t hash, char out[KEYSPACE_SUB_ID_SIZE])
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	out[16] = 0;
}

void keyspace_events(unsigned shard, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{e%02x}:ev", shard & 255);
}

void keyspace_moved(unsigned shard, const char *k, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{e%02x}:k:%.*s", shard & 255, NAME_MAX_BYTES, k);
}

void keyspace_minutes(unsigned shard, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{e%02x}:min", shard & 255);
}

uint8_t keyspace_bucket_of(const char *line)
{
	return (uint8_t)(keyspace_hash(line, strlen(line)) % KEYSPACE_BUCKETS);
}

void keyspace_bucket(unsigned bucket, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{s%02x}:cards", bucket % KEYSPACE_BUCKETS);
}

void keyspace_card(const char *sub_id, keyspace_key out)
{
	keyspace_bucket((unsigned)strtoul(sub_id + 14, NULL, 16), out);
}

void keyspace_node(const char *type, const char *name, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{n}:node:%.40s:%.200s", type, name);
}

void keyspace_health(const char *collector, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{h}:health:%.*s", NAME_MAX_BYTES, collector);
}

bool keyspace_is_incident_id(const char *id)
{
	size_t n = strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.");

	return n && !id[n] && n <= KEYSPACE_INCIDENT_ID_MAX && strcmp(id, "ev") &&
	       strcmp(id, "open");
}

void keyspace_incident(const char *id, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{i}:inc:%.*s", KEYSPACE_INCIDENT_ID_MAX, id);
}

void keyspace_incident_members(const char *id, keyspace_key out)
{
	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{i}:inc:%.*s:mem", KEYSPACE_INCIDENT_ID_MAX, id);
}

void keyspace_index(enum keyspace_index kind, const char *name, keyspace_key out)
{
	static const struct {
		char tag;
		const char *word;
	} kinds[] = {
		[KEYSPACE_USER] = {'x', "user"},   [KEYSPACE_CIRCUIT] = {'x', "circuit"},
		[KEYSPACE_IP] = {'x', "ip"},	   [KEYSPACE_MAC] = {'x', "mac"},
		[KEYSPACE_PHONE] = {'p', "phone"},
	};
	unsigned tag = (unsigned)(keyspace_hash(name, strlen(name)) & 255);

	snprintf(out, KEYSPACE_KEY_MAX, "rasad:{%c%02x}:%s:%.*s", kinds[kind].tag, tag,
		 kinds[kind].word, NAME_MAX_BYTES, name);
}

static void clear_host_bits(uint8_t *address, int bits, int length)
{
	for (int i = length; i < bits; i++)
		address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* Splits "address/n"; -1: no length in the text, -2: not a number. */
static int split_length(const char *text, char address[INET6_ADDRSTRLEN])
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char *end;

	if (n >= INET6_ADDRSTRLEN)
		return -2;
	memcpy(address, text, n);
	address[n] = 0;
	if (!slash)
		return -1;
	long length = strtol(slash + 1, &end, 10);
	return isdigit((unsigned char)slash[1]) && !*end && length <= 128 ? (int)length : -2;
}

int keyspace_ip(const char *text, int length, char out[64])
{
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	int said = split_length(text, address);
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	int bits = family == AF_INET6 ? 128 : 32;

	if (said == -2 || said > bits || inet_pton(family, address, bytes) != 1)
		return -EINVAL;
	if (length < 0)
		length = said < 0 ? bits : said;
	clear_host_bits(bytes, bits, length);
	inet_ntop(family, bytes, out, INET6_ADDRSTRLEN);
	if (length < bits)
		snprintf(out + strlen(out), 64 - strlen(out), "/%d", length);
	return 0;
}

int keyspace_mac(const char *text, char out[18])
{
	char digits[12];
	size_t n = 0;

	for (; *text; text++) {
		if (strchr(":-.", *text))
			continue;
		if (n == sizeof(digits) || !isxdigit((unsigned char)*text))
			return -EINVAL;
		digits[n++] = (char)tolower((unsigned char)*text);
	}
	if (n != sizeof(digits))
		return -EINVAL;
	snprintf(out, 18, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", digits, digits + 2, digits + 4,
		 digits + 6, digits + 8, digits + 10);
	return 0;
}
