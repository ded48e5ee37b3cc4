/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Built with jansson, so that whatever a name holds is escaped. Where a system has numbers or words
 * of its own for severity or priority, a table maps ours.
 */
#include "engine/match/export.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "engine/match/say.h"
#include "engine/match/texts.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define STATE(name)   RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_##name
#define VERDICT(name) RASAD__V1__VERDICT__VERDICT_##name

static const char *const names[EXPORT_FORMATS] = {"tmf642", "tmf621", "servicenow", "znuny",
						  "jira"};

const char *export_name(enum export_format format)
{
	return format < EXPORT_FORMATS ? names[format] : NULL;
}

int export_format_of(const char *name)
{
	for (int i = 0; i < EXPORT_FORMATS; i++)
		if (!strcmp(names[i], name))
			return i;
	return -EINVAL;
}

/* --- words --- */

/* INCIDENT_CLASS_CABLE_CUT -> CABLE_CUT */
static const char *enum_word(const ProtobufCEnumDescriptor *type, int value, size_t prefix)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

	return found ? found->name + prefix : "UNKNOWN";
}

static const char *class_word(const Rasad__V1__Incident *incident)
{
	return enum_word(&rasad__v1__incident_class__descriptor, (int)incident->class_,
			 strlen("INCIDENT_CLASS_"));
}

static const char *category_word(int category)
{
	return enum_word(&rasad__v1__category__descriptor, category, strlen("CATEGORY_"));
}

static const char *verdict_word(const Rasad__V1__CallMatch *match)
{
	return enum_word(&rasad__v1__verdict__descriptor, (int)match->verdict, strlen("VERDICT_"));
}

/* Severities are 2 .. 6 (indeterminate, critical, major, minor, warning); 1 is cleared. */
static size_t severity_of(const Rasad__V1__Incident *incident)
{
	size_t severity = (size_t)incident->severity;

	return severity <= 6 ? severity : 0;
}

static bool is_cleared(const Rasad__V1__Incident *incident)
{
	return incident->state == STATE(CLEARED) || incident->state == STATE(RETRACTED);
}

/* NULL for 0: JSON without the field. */
static json_t *time_of(int64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000);
	struct tm tm;
	char text[80];

	if (unix_ns <= 0 || !gmtime_r(&s, &tm))
		return NULL;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(unix_ns / 1000000 % 1000));
	return json_string(text);
}

static void set(json_t *object, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(object, name, value);
}

/* What is empty is left out. */
static void set_text(json_t *object, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(object, name, json_string(text));
}

static void set_action(json_t *object, const char *name, enum text_language language,
		       const Rasad__V1__Incident *incident)
{
	set_text(object, name, text_template(language, say_class_action(incident)));
}

static json_t *title_of(const Rasad__V1__Incident *incident)
{
	return json_sprintf("%s at %s %s: %llu of %llu lines", class_word(incident),
			    incident->group_type, incident->group,
			    (unsigned long long)incident->affected_peak,
			    (unsigned long long)incident->members);
}

/* k, n, mu, f, -log10 p and LLR, as far as there are. */
static json_t *evidence_of(const Rasad__V1__Incident *incident)
{
	const Rasad__V1__IncidentEvidence *evidence = incident->evidence;
	json_t *object = json_object();

	set(object, "affected", json_integer((json_int_t)incident->affected));
	set(object, "affected_peak", json_integer((json_int_t)incident->affected_peak));
	set(object, "members", json_integer((json_int_t)incident->members));
	set(object, "confidence", json_real(incident->confidence));
	if (!evidence)
		return object;
	set(object, "k", json_real(evidence->k));
	set(object, "n", json_real(evidence->n));
	set(object, "mu", json_real(evidence->mu));
	set(object, "fraction", json_real(evidence->fraction));
	set(object, "neg_log10_p", json_real(evidence->neg_log10_p));
	set(object, "llr", json_real(evidence->llr));
	set_text(object, "runner_up", evidence->runner_up);
	return object;
}

static json_t *texts_of(char *const *texts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

/* --- TMF642 Alarm, v4 --- */

static json_t *threshold_of(const Rasad__V1__Incident *incident)
{
	json_t *object = json_object();

	if (!incident->evidence) {
		json_decref(object);
		return NULL;
	}
	set_text(object, "indicatorName", "affectedLines");
	set(object, "observedValue", json_sprintf("%.1f", incident->evidence->k));
	set(object, "thresholdCrossingDescription",
	    json_sprintf("%.1f expected, -log10 p = %.1f", incident->evidence->mu,
			 incident->evidence->neg_log10_p));
	set_text(object, "direction", "up");
	return object;
}

static json_t *places_of(const Rasad__V1__Incident *incident)
{
	json_t *list = json_array();

	for (size_t i = 0; i < incident->n_path; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "name", incident->path[i],
						      "role", "location"));
	return list;
}

static json_t *related_alarms(char *const *ids, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s}", "id", ids[i]));
	return list;
}

static json_t *tmf642(const Rasad__V1__Incident *incident)
{
	static const char *const severities[] = {"indeterminate", "cleared", "indeterminate",
						 "critical",	  "major",   "minor",
						 "warning"};
	static const char *const types[] = {"other",
					    "other",
					    "communicationsAlarm",
					    "qualityOfServiceAlarm",
					    "processingErrorAlarm",
					    "equipmentAlarm",
					    "environmentalAlarm"};
	size_t type = (size_t)incident->alarm_type;
	bool root = !*incident->superseded_by;
	json_t *alarm = json_object();

	set_text(alarm, "@type", "Alarm");
	set_text(alarm, "id", incident->incident_id);
	set_text(alarm, "externalAlarmId", incident->dedupe_key);
	set_text(alarm, "sourceSystemId", "rasad");
	set_text(alarm, "alarmType", types[type <= 6 ? type : 0]);
	set(alarm, "probableCause", json_sprintf("%u", incident->probable_cause));
	set_text(alarm, "specificProblem", class_word(incident));
	set_text(alarm, "perceivedSeverity",
		 is_cleared(incident) ? "cleared" : severities[severity_of(incident)]);
	set(alarm, "alarmRaisedTime", time_of(incident->onset_unix_ns));
	set(alarm, "alarmReportingTime", time_of(incident->open_unix_ns));
	set(alarm, "alarmChangedTime", time_of(incident->changed_unix_ns));
	set(alarm, "alarmClearedTime", time_of(incident->clear_unix_ns));
	set(alarm, "alarmedObject", json_pack("{s:s}", "id", incident->group));
	set_text(alarm, "alarmedObjectType", incident->group_type);
	set(alarm, "affectedService",
	    json_pack("[{s:s,s:s,s:I}]", "id", incident->incident_id, "@type", "MemberSet", "count",
		      (json_int_t)incident->affected));
	set(alarm, "isRootCause", json_boolean(root));
	if (!root)
		set(alarm, "parentAlarm", json_pack("[{s:s}]", "id", incident->superseded_by));
	set(alarm, "correlatedAlarm", related_alarms(incident->supersedes, incident->n_supersedes));
	set(alarm, "serviceAffecting", json_boolean(incident->service_affecting));
	set(alarm, "plannedOutageIndicator", json_boolean(incident->planned));
	set_action(alarm, "proposedRepairedActions", TEXT_EN, incident);
	set_text(alarm, "alarmDetails", incident->text);
	set(alarm, "crossedThresholdInformation", threshold_of(incident));
	set(alarm, "place", places_of(incident));
	set_text(alarm, "state",
		 is_cleared(incident)	  ? "cleared"
		 : incident->revision > 1 ? "updated"
					  : "raised");
	return alarm;
}

/* --- TMF621 TroubleTicket, v5 --- */

static void add_note(json_t *notes, const char *text)
{
	if (text && *text)
		json_array_append_new(notes,
				      json_pack("{s:s,s:s}", "author", "rasad", "text", text));
}

static json_t *entity(const char *type, const char *id)
{
	return json_pack("{s:s,s:s,s:s}", "id", id, "@type", "RelatedEntity", "role", type);
}

static json_t *tmf621_incident(const Rasad__V1__Incident *incident)
{
	static const char *const severities[] = {"Minor", "Minor", "Minor", "Critical",
						 "Major", "Minor", "Minor"};
	static const char *const priorities[] = {"Low",	 "Low",	   "Low", "Critical",
						 "High", "Medium", "Low"};
	json_t *ticket = json_object(), *notes = json_array();

	set_text(ticket, "@type", "TroubleTicket");
	set(ticket, "name", title_of(incident));
	set_text(ticket, "description", incident->text);
	set_text(ticket, "ticketType", category_word((int)incident->category));
	set_text(ticket, "status", is_cleared(incident) ? "resolved" : "acknowledged");
	set_text(ticket, "severity", severities[severity_of(incident)]);
	set_text(ticket, "priority", priorities[severity_of(incident)]);
	set(ticket, "creationDate", time_of(incident->open_unix_ns));
	set(ticket, "resolutionDate", time_of(incident->clear_unix_ns));
	set(ticket, "externalIdentifier",
	    json_pack("[{s:s,s:s,s:s}]", "id", incident->incident_id, "owner", "rasad",
		      "externalIdentifierType", "incident"));
	set(ticket, "relatedEntity",
	    json_pack("[o]", entity(incident->group_type, incident->group)));
	add_note(notes, text_template(TEXT_EN, say_class_action(incident)));
	add_note(notes, text_template(TEXT_FA, say_class_action(incident)));
	set(ticket, "note", notes);
	return ticket;
}

/* The reasons of the best hypothesis, as notes: what an engineer wants to see. */
static void add_reasons(json_t *notes, const Rasad__V1__CallMatch *match)
{
	const Rasad__V1__Hypothesis *best = match->n_hypotheses ? match->hypotheses[0] : NULL;

	for (size_t i = 0; best && i < best->n_reasons; i++) {
		char *text = NULL;
		size_t n;
		FILE *out = open_memstream(&text, &n);
		if (!out)
			return;
		fprintf(out, "%s (%+.1f): ", best->reasons[i]->code, best->reasons[i]->weight);
		say_reason(out, TEXT_EN, best->reasons[i]);
		fclose(out);
		add_note(notes, text);
		free(text);
	}
}

static json_t *tmf621_match(const Rasad__V1__CallMatch *match, const Rasad__V1__Incident *parent)
{
	bool done = match->verdict == VERDICT(NO_FAULT_FOUND);
	json_t *ticket = json_object(), *notes = json_array();

	set_text(ticket, "@type", "TroubleTicket");
	set(ticket, "name", json_sprintf("Call %s: %s", match->call_id, verdict_word(match)));
	set_text(ticket, "description", match->text_en);
	set_text(ticket, "ticketType", category_word((int)match->category));
	set_text(ticket, "status", parent ? "held" : done ? "pending" : "acknowledged");
	set_text(ticket, "severity", "Minor");
	set_text(ticket, "priority", parent ? "Low" : "Medium");
	set(ticket, "creationDate", time_of(match->call_unix_ns));
	set(ticket, "channel", json_pack("{s:s}", "name", "phone"));
	set(ticket, "externalIdentifier",
	    json_pack("[{s:s,s:s,s:s}]", "id", match->call_id, "owner", "rasad",
		      "externalIdentifierType", "call"));
	set(ticket, "relatedEntity", json_pack("[o]", entity("line", match->line)));
	if (parent)
		set(ticket, "troubleTicketRelationship",
		    json_pack("[{s:s,s:s}]", "id", parent->incident_id, "relationshipType",
			      "isChildOf"));
	add_note(notes, match->text_fa);
	add_note(notes, match->recommended_action);
	add_reasons(notes, match);
	set(ticket, "note", notes);
	return ticket;
}

/* --- ServiceNow em_event --- */

/* The access node, or else the exchange, that the element hangs on. */
static const char *node_of(const Rasad__V1__Incident *incident)
{
	static const char *const types[] = {"access_node:", "exchange:"};

	for (int type = 0; type < 2; type++)
		for (size_t i = incident->n_path; i > 0; i--)
			if (!strncmp(incident->path[i - 1], types[type], strlen(types[type])))
				return incident->path[i - 1] + strlen(types[type]);
	return incident->group;
}

/* "2025-11-15 10:30:00", UTC, as em_event has it. */
static json_t *event_time(int64_t unix_ns)
{
	json_t *time = time_of(unix_ns);
	json_t *event = time ? json_sprintf("%.10s %.8s", json_string_value(time),
					    json_string_value(time) + strlen("2025-11-15T"))
			     : NULL;

	json_decref(time);
	return event;
}

/* additional_info is a text that holds JSON. */
static void set_additional(json_t *event, json_t *info)
{
	char *text = json_dumps(info, JSON_COMPACT | JSON_REAL_PRECISION(6));

	json_decref(info);
	set_text(event, "additional_info", text);
	free(text);
}

static json_t *servicenow_incident(const Rasad__V1__Incident *incident)
{
	/* critical 1, major 2, minor 3, warning 4; 5 is OK, 0 clears. */
	static const char *const severities[] = {"5", "0", "4", "1", "2", "3", "4"};
	json_t *event = json_object(), *info = evidence_of(incident);

	set_text(event, "source", "rasad");
	set_text(event, "node", node_of(incident));
	set_text(event, "resource", incident->group);
	set_text(event, "metric_name", class_word(incident));
	set_text(event, "type", incident->group_type);
	set_text(event, "message_key", incident->dedupe_key);
	set_text(event, "severity", is_cleared(incident) ? "0" : severities[severity_of(incident)]);
	set_text(event, "resolution_state", is_cleared(incident) ? "Closing" : "New");
	set(event, "description", title_of(incident));
	set(event, "time_of_event", event_time(incident->changed_unix_ns));
	set_text(info, "incident_id", incident->incident_id);
	set(info, "equivalent_groups",
	    texts_of(incident->equivalent_groups, incident->n_equivalent_groups));
	set_additional(event, info);
	return event;
}

static json_t *servicenow_match(const Rasad__V1__CallMatch *match,
				const Rasad__V1__Incident *parent)
{
	json_t *event = json_object(), *info = json_object();

	set_text(event, "source", "rasad");
	set_text(event, "node", match->line);
	set_text(event, "metric_name", verdict_word(match));
	set_text(event, "type", "call");
	set(event, "message_key", json_sprintf("call:%s", match->call_id));
	set_text(event, "severity", match->verdict == VERDICT(NO_FAULT_FOUND) ? "5" : "4");
	set_text(event, "description", match->text_en);
	set(event, "time_of_event", event_time(match->unix_ns));
	set_text(info, "incident_id", parent ? parent->incident_id : match->incident_id);
	set(info, "probability", json_real(match->probability));
	set_text(info, "text_fa", match->text_fa);
	set_additional(event, info);
	return event;
}

/* --- Znuny GenericInterface TicketCreate --- */

static const char *queue_of(int category)
{
	static const char *const queues[] = {
		"Support", "Support::Premises", "Access", "Transport", "Core", "Billing"};

	return queues[category >= 0 && category <= 5 ? category : 0];
}

static json_t *znuny(json_t *title, int category, const char *state, const char *priority,
		     const char *customer, const char *incident_id, json_t *body)
{
	json_t *ticket = json_object(), *article = json_object();

	set(ticket, "Title", json_incref(title));
	set_text(ticket, "Queue", queue_of(category));
	set_text(ticket, "State", state);
	set_text(ticket, "PriorityID", priority);
	set_text(ticket, "CustomerUser", customer);
	set(article, "Subject", title);
	set(article, "Body", body);
	set_text(article, "ContentType", "text/plain; charset=utf8");
	json_t *all = json_pack("{s:o,s:o}", "Ticket", ticket, "Article", article);
	if (*incident_id)
		set(all, "DynamicField",
		    json_pack("[{s:s,s:s}]", "Name", "RasadIncident", "Value", incident_id));
	return all;
}

static json_t *znuny_incident(const Rasad__V1__Incident *incident)
{
	static const char *const priorities[] = {"3", "1", "3", "5", "4", "3", "2"};

	return znuny(title_of(incident), (int)incident->category,
		     is_cleared(incident) ? "closed successful" : "open",
		     priorities[severity_of(incident)], "noc", incident->incident_id,
		     json_sprintf("%s\n%s\n%s", incident->text,
				  text_template(TEXT_EN, say_class_action(incident)),
				  text_template(TEXT_FA, say_class_action(incident))));
}

static json_t *znuny_match(const Rasad__V1__CallMatch *match, const Rasad__V1__Incident *parent)
{
	const char *incident_id = parent ? parent->incident_id : match->incident_id;
	json_t *all = znuny(json_sprintf("Call %s: %s", match->call_id, verdict_word(match)),
			    (int)match->category, "new", "3", match->subscriber, incident_id,
			    json_sprintf("%s\n\n%s\n\n%s", match->text_fa, match->text_en,
					 match->recommended_action));
	if (*incident_id)
		set(all, "TicketLink",
		    json_pack("{s:s,s:s}", "Type", "ParentChild", "Parent", incident_id));
	return all;
}

/* --- Jira issue --- */

static json_t *jira(json_t *summary, json_t *description, const char *type, const char *priority,
		    json_t *labels)
{
	json_t *fields = json_pack("{s:{s:s},s:{s:s},s:o}", "project", "key", "NOC", "issuetype",
				   "name", type, "labels", labels);

	set(fields, "summary", summary);
	set(fields, "description", description);
	if (priority)
		set(fields, "priority", json_pack("{s:s}", "name", priority));
	return json_pack("{s:o}", "fields", fields);
}

static json_t *jira_incident(const Rasad__V1__Incident *incident)
{
	static const char *const priorities[] = {"Medium", "Lowest", "Medium", "Highest",
						 "High",   "Medium", "Low"};

	return jira(title_of(incident),
		    json_sprintf("%s\n%s\n%s", incident->text,
				 text_template(TEXT_EN, say_class_action(incident)),
				 text_template(TEXT_FA, say_class_action(incident))),
		    "Incident", priorities[severity_of(incident)],
		    json_pack("[s,s,s]", "rasad", class_word(incident),
			      category_word((int)incident->category)));
}

static json_t *jira_match(const Rasad__V1__CallMatch *match, const Rasad__V1__Incident *parent)
{
	json_t *issue = jira(json_sprintf("Call %s: %s", match->call_id, verdict_word(match)),
			     json_sprintf("%s\n\n%s\n\n%s", match->text_fa, match->text_en,
					  match->recommended_action),
			     "Support", NULL, json_pack("[s,s]", "rasad", verdict_word(match)));
	const char *cause = parent ? parent->incident_id : match->incident_id;

	if (*cause)
		set(issue, "update",
		    json_pack("{s:[{s:{s:{s:s,s:s},s:{s:s}}}]}", "issuelinks", "add", "type",
			      "name", "Problem/Incident", "inward", "is caused by", "inwardIssue",
			      "externalId", cause));
	return issue;
}

/* --- */

static char *dump(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;

	json_decref(object);
	return text;
}

char *export_incident(enum export_format format, const Rasad__V1__Incident *incident)
{
	static json_t *(*const make[EXPORT_FORMATS])(const Rasad__V1__Incident *) = {
		tmf642, tmf621_incident, servicenow_incident, znuny_incident, jira_incident,
	};

	return format < EXPORT_FORMATS ? dump(make[format](incident)) : NULL;
}

char *export_match(enum export_format format, const Rasad__V1__CallMatch *match,
		   const Rasad__V1__Incident *parent)
{
	static json_t *(*const make[EXPORT_FORMATS])(const Rasad__V1__CallMatch *,
						     const Rasad__V1__Incident *) = {
		NULL, tmf621_match, servicenow_match, znuny_match, jira_match,
	};

	return format < EXPORT_FORMATS && make[format] ? dump(make[format](match, parent)) : NULL;
}
