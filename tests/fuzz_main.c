/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over seed files when it is not built with libFuzzer: x_fuzz FILE|FOLDER...
 *
 * Every seed is also tried cut short at each of its first PREFIX_MAX bytes, since reading past the
 * end of a truncated input is the fault that parsers have most. Each input is a heap block of its
 * exact size, so that AddressSanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned long inputs;

static void die(const char *path)
{
	fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void try_input(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		die("malloc");
	if (len)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(len ? copy : copy + 1, len);
	free(copy);
	inputs++;
}

static void try_file(const char *path, size_t len)
{
	uint8_t *data = malloc(len + 1);
	FILE *f = fopen(path, "rb");

	if (!data || !f || fread(data, 1, len, f) != len)
		die(path);
	fclose(f);
	printf("seed %s (%zu bytes)\n", path, len);
	fflush(stdout); /* the last seed named is the one that crashed */
	for (size_t cut = 0; cut < len && cut < PREFIX_MAX; cut++)
		try_input(data, cut);
	try_input(data, len);
	free(data);
}

static void try_path(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int n;

	if (stat(path, &st) < 0)
		die(path);
	if (S_ISREG(st.st_mode)) {
		try_file(path, (size_t)st.st_size);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		char child[4096];

		snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			try_path(child);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		try_path(argv[i]);
	printf("%lu inputs\n", inputs);
	if (inputs == 0) {
		fprintf(stderr, "fuzz: no input: expected seed files\n");
		return 1;
	}
	printf("1 passed, 0 failed\n");
	return 0;
}
