/* SPDX-License-Identifier: BSD-3-Clause */
/* The enums of incidents as people read them: the names of the schema, and classes in words. */
#ifndef RASAD_TOOLS_LIB_INCIDENT_NAMES_H
#define RASAD_TOOLS_LIB_INCIDENT_NAMES_H

/* "OPEN", "MAJOR", "PREMISES", "CARD_FAILURE"; "?" for what a newer schema says. */
const char *incident_state_name(int state);
const char *severity_name(int severity);
const char *category_name(int category);
const char *class_name(int class);
/* "a card of the access node failed", or "" */
const char *class_words(int class);

#endif
