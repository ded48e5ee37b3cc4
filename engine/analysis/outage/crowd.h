/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much more than usual lines drop everywhere, at this moment.
 *
 * When people switch their modems off at eleven, the last half hour says nothing of it yet, and every
 * card and every pool seems to fail a little. What happens in nearly all exchanges alike, and to the
 * modems of nearly all vendors, is no fault of any element: it raises what is expected of all. It must
 * have lasted a while, though, for when the network itself fails it fails at once; and it may not be
 * expected of more than a few lines, so that such a failure is found all the same. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_CROWD_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_CROWD_H

struct outage;

/* A tick: looks at all exchanges and tells the rates. */
void crowd_step(struct outage *outage);

#endif
