/* SPDX-License-Identifier: BSD-3-Clause */
/* One filled record of each kind, the same on every call: callers change what they test. */
#ifndef RASAD_TESTS_ENGINE_PUBLISH_SAMPLE_H
#define RASAD_TESTS_ENGINE_PUBLISH_SAMPLE_H

#include "engine/analysis/report.h"

#define SAMPLE_UNIX_NS 1700000000123456789

struct report_session_event sample_event(void);
struct report_flap_summary sample_flap(void);
struct report_subscriber sample_subscriber(void);
struct report_minute sample_minute(void);
struct report_flow sample_flow(void);
struct report_node sample_node(void);
struct report_health sample_health(void);
struct report_incident sample_incident(void);
struct report_gap sample_gap(void);

#endif
