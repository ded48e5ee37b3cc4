/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Incidents and answers in the words of ticket systems (redis-and-schema.md 5.4): TMF642 Alarm,
 * TMF621 TroubleTicket, ServiceNow em_event, Znuny TicketCreate, Jira issue. Payloads only: who
 * sends them where is the integrator's.
 */
#ifndef RASAD_ENGINE_MATCH_EXPORT_H
#define RASAD_ENGINE_MATCH_EXPORT_H

struct Rasad__V1__CallMatch;
struct Rasad__V1__Incident;

enum export_format {
	EXPORT_TMF642,
	EXPORT_TMF621,
	EXPORT_SERVICENOW,
	EXPORT_ZNUNY,
	EXPORT_JIRA,
	EXPORT_FORMATS,
};

/* "tmf642", "tmf621", "servicenow", "znuny", "jira"; NULL past the end. */
const char *export_name(enum export_format format);
/* By name, or -EINVAL. */
int export_format_of(const char *name);

/* One JSON object, NUL-terminated, to be freed; NULL: out of memory. */
char *export_incident(enum export_format format, const struct Rasad__V1__Incident *incident);

/* A child of the incident's ticket when `parent` (may be NULL) explains the call. NULL, too, for
 * TMF642: a call is no alarm. */
char *export_match(enum export_format format, const struct Rasad__V1__CallMatch *match,
		   const struct Rasad__V1__Incident *parent);

#endif
