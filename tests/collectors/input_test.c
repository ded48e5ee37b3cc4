/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input of captures where the file changes under it: mapped and read, appended to, made
 * shorter at a page and within one, emptied; pipes; more files than mappings.
 */
#include "collectors/input.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/collectors/capture_file.h"

enum { MIB = 1024 * 1024, FRAME = 84, RECORD = 16 + FRAME };

static struct file_image image;
static struct capture capture;
static struct reading r;
static char path[64];
static int fd;

/* `n` records, the i-th of second i + 1. */
static void make_file(uint32_t n)
{
	static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	image_put(&image, header, sizeof header);
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t record[] = {i + 1, 0, FRAME, FRAME};
		image_put(&image, record, sizeof record);
		image_fill(&image, (uint8_t)i, FRAME);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, image.bytes, image.len, 0), image.len);
}

static int start(void **state)
{
	(void)state;
	image = (struct file_image){0};
	memset(&r, 0, sizeof r);
	fd = memfd_create("input", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd < 0;
}

static int stop(void **state)
{
	(void)state;
	capture_close(&capture);
	image_free(&image);
	close(fd);
	return 0;
}

static void large_files_are_mapped(void **state)
{
	(void)state;
	make_file(200000);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_non_null(capture.input.mapping.bytes);
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, 200000);
	assert_int_equal(capture.input.read, image.len);
}

static void small_files_are_read(void **state)
{
	(void)state;
	make_file(10);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_null(capture.input.mapping.bytes);
	assert_false(input_is_torn(&capture.input));
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.n, 10);
}

static void what_is_appended_is_read(void **state)
{
	const uint32_t n = 100000;
	(void)state;
	make_file(n);
	/* the file on disk ends within a record for now */
	assert_int_equal(ftruncate(fd, (off_t)image.len - 7 * RECORD - 30), 0);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_non_null(capture.input.mapping.bytes);
	assert_int_equal(pwrite(fd, image.bytes, image.len, 0), image.len);
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, n);
	assert_int_equal(r.frame[0].ts_ns, 1000000000ull);
}

/* Reads a few frames, then the file shrinks to `size`. */
static void shrink(off_t size)
{
	struct raw_frame frames[64];
	enum capture_result why;
	make_file(100000);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_non_null(capture.input.mapping.bytes);
	why = capture_refill(&capture);
	assert_int_equal(capture_burst(&capture, frames, 64, &why), 40);
	assert_int_equal(why, CAPTURE_REFILL);
	assert_int_equal(capture_refill(&capture), CAPTURE_FRAME);
	assert_int_equal(ftruncate(fd, size), 0);
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.end, CAPTURE_DAMAGED);
	assert_non_null(strstr(r.message[0] ? r.message : capture.message, "became shorter"));
	capture_close(&capture);
	image_free(&image);
}

/* What was whole stays; at most the record across the end may be partly zero. */
static void a_file_that_shrinks_is_no_crash(void **state)
{
	static const off_t sizes[] = {2 * MIB,	 2 * MIB + 1,	      2 * MIB + 24,
				      MIB + 777, 24 + 30000 * RECORD, 24 + 30000 * RECORD + 8,
				      8192};
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint64_t whole = (uint64_t)(sizes[i] - 24) / RECORD - 40;
		memset(&r, 0, sizeof r);
		shrink(sizes[i]);
		assert_in_range(r.n, whole, whole + 1);
	}
}

static void an_emptied_file_is_no_crash(void **state)
{
	(void)state;
	shrink(0);
	assert_int_equal(r.n, 0);
}

static void a_pipe_is_read(void **state)
{
	int ends[2], status;
	pid_t writer;
	(void)state;
	make_file(20000);
	assert_int_equal(pipe(ends), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0)
		_exit(write(ends[1], image.bytes, image.len) != (ssize_t)image.len);
	close(ends[1]);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
	assert_int_equal(capture_open(&capture, path), 0);
	assert_false(input_map(&capture.input));
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, 20000);
	close(ends[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

/* Standard input at an offset: what was consumed before is not read again. */
static void a_descriptor_may_stand_anywhere(void **state)
{
	int saved = dup(STDIN_FILENO);
	(void)state;
	image_fill(&image, 0xee, 5000);
	make_file(50000);
	assert_true(saved >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(lseek(STDIN_FILENO, 5000, SEEK_SET), 5000);
	assert_int_equal(capture_open(&capture, "-"), 0);
	assert_non_null(capture.input.mapping.bytes);
	capture_read_all(&capture, &r, 64);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, 50000);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
}

static void more_files_than_mappings(void **state)
{
	enum { N = MAPPING_MAX + 3 };
	struct input *in = calloc(N, sizeof *in);
	(void)state;
	assert_non_null(in);
	make_file(5000);
	for (int i = 0; i < N; i++) {
		assert_int_equal(input_open(&in[i], path), 0);
		assert_int_equal(in[i].mapping.bytes != NULL, i < MAPPING_MAX);
		assert_int_equal(input_refill(&in[i], 300000), 1);
		assert_memory_equal(input_at(&in[i]), image.bytes, 300000);
	}
	for (int i = 0; i < N; i++)
		input_close(&in[i]);
	assert_int_equal(input_open(&in[0], path), 0);
	assert_non_null(in[0].mapping.bytes);
	input_close(&in[0]);
	free(in);
}

/* In a process of its own: a SIGBUS that is not about a capture ends it as ever. */
static void a_foreign_bus_error_is_not_ours(void **state)
{
	int status;
	pid_t child;
	(void)state;
	make_file(5000);
	for (int sent = 0; sent < 2; sent++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			volatile uint8_t *lost =
				mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, (off_t)16 * MIB);
			signal(SIGBUS, SIG_DFL);
			if (capture_open(&capture, path) || !capture.input.mapping.bytes)
				_exit(1);
			if (sent)
				raise(SIGBUS);
			_exit(lost[0] ? 2 : 3);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(large_files_are_mapped, start, stop),
		cmocka_unit_test_setup_teardown(small_files_are_read, start, stop),
		cmocka_unit_test_setup_teardown(what_is_appended_is_read, start, stop),
		cmocka_unit_test_setup_teardown(a_file_that_shrinks_is_no_crash, start, stop),
		cmocka_unit_test_setup_teardown(an_emptied_file_is_no_crash, start, stop),
		cmocka_unit_test_setup_teardown(a_pipe_is_read, start, stop),
		cmocka_unit_test_setup_teardown(a_descriptor_may_stand_anywhere, start, stop),
		cmocka_unit_test_setup_teardown(more_files_than_mappings, start, stop),
		cmocka_unit_test_setup_teardown(a_foreign_bus_error_is_not_ours, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
