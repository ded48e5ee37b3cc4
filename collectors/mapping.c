/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/mapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a huge page: giving back a part of one would split it. */
enum { RELEASE_STEP = 2 * 1024 * 1024 };

/* What the handler knows of a mapping. `end` is valid while `start` is not 0. */
struct mapping_guard {
	atomic_bool taken, torn;
	_Atomic uintptr_t start, end;
};

static struct mapping_guard guards[MAPPING_MAX];
static struct sigaction before_us;
static uintptr_t page_size;

static struct mapping_guard *guard_of(uintptr_t address)
{
	for (size_t i = 0; i < MAPPING_MAX; i++) {
		uintptr_t start = atomic_load(&guards[i].start);
		if (start && address >= start && address < atomic_load(&guards[i].end))
			return &guards[i];
	}
	return NULL;
}

/* Zeroes from the missing page on: the rest would fault page by page. Only system calls here. */
static bool patch(struct mapping_guard *guard, uintptr_t address)
{
	uintptr_t page = address & ~(page_size - 1);
	size_t len = atomic_load(&guard->end) - page;
	atomic_store(&guard->torn, true);
	return mmap((void *)page, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	       MAP_FAILED;
}

/* Returning repeats the access: it finds zeroes now, or meets who was in charge before. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	struct mapping_guard *guard = info->si_code > 0 ? guard_of((uintptr_t)info->si_addr) : NULL;
	(void)context;
	if (!guard || !patch(guard, (uintptr_t)info->si_addr)) {
		sigaction(number, &before_us, NULL);
		if (info->si_code <= 0) /* sent, not caused: it would not come again */
			raise(number);
	}
	errno = saved;
}

/* For each mapping anew, in case somebody else has taken the signal since. */
static int install(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO}, now;
	int error = 0;
	pthread_mutex_lock(&lock);
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&ours.sa_mask);
	if (sigaction(SIGBUS, NULL, &now)) {
		error = -errno;
	} else if (now.sa_sigaction != on_bus_error) {
		before_us = now;
		if (sigaction(SIGBUS, &ours, NULL))
			error = -errno;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static struct mapping_guard *take_guard(void)
{
	for (size_t i = 0; i < MAPPING_MAX; i++)
		if (!atomic_exchange(&guards[i].taken, true))
			return &guards[i];
	return NULL;
}

int mapping_open(struct mapping *m, int fd, size_t size)
{
	struct mapping_guard *guard;
	void *bytes;
	int error = size ? install() : -EINVAL;
	*m = (struct mapping){.fd = fd};
	if (error)
		return error;
	guard = take_guard();
	if (!guard)
		return -EMFILE;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		error = -errno;
		atomic_store(&guard->taken, false);
		return error;
	}
	madvise(bytes, size, MADV_SEQUENTIAL); /* reads ahead, and does not age the page cache */
	atomic_store(&guard->torn, false);
	atomic_store(&guard->end, ((uintptr_t)bytes + size + page_size - 1) & ~(page_size - 1));
	atomic_store(&guard->start, (uintptr_t)bytes);
	m->bytes = bytes;
	m->size = size;
	m->guard = guard;
	return 0;
}

void mapping_close(struct mapping *m)
{
	if (m->guard) {
		atomic_store(&m->guard->start, 0);
		munmap((void *)m->bytes, m->size);
		atomic_store(&m->guard->taken, false);
	}
	*m = (struct mapping){.fd = -1};
}

void mapping_release(struct mapping *m, size_t before)
{
	before &= ~(size_t)(RELEASE_STEP - 1);
	if (before <= m->released)
		return;
	madvise((void *)(m->bytes + m->released), before - m->released, MADV_DONTNEED);
	m->released = before;
}

bool mapping_is_torn(const struct mapping *m)
{
	struct stat st;
	if (!m->guard)
		return false;
	return atomic_load(&m->guard->torn) || fstat(m->fd, &st) || st.st_size < (off_t)m->size;
}
