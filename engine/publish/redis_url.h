/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RASAD_ENGINE_PUBLISH_REDIS_URL_H
#define RASAD_ENGINE_PUBLISH_REDIS_URL_H

struct redis_url {
	char host[256]; /* or "" */
	char path[108]; /* of a unix socket, or "" */
	int port, db;
	char user[128], password[256];
	char shown[300]; /* where, without the password */
};

/* Returns 0, or -EINVAL with *reason a static text. */
int redis_url_parse(const char *text, struct redis_url *url, const char **reason);

#endif
