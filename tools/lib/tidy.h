/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from the network as it may stand on a terminal: UTF-8 without controls or bidi overrides. */
#ifndef RASAD_TOOLS_LIB_TIDY_H
#define RASAD_TOOLS_LIB_TIDY_H

#include <stddef.h>

/* What may not be shown becomes U+FFFD; what has no room is cut off between characters. room > 0. */
void tidy_text(char *to, size_t room, const char *from);

#endif
