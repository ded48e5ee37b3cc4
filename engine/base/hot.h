/* SPDX-License-Identifier: BSD-3-Clause */
/* What every packet goes through is compiled into one piece. */
#ifndef RASAD_ENGINE_BASE_HOT_H
#define RASAD_ENGINE_BASE_HOT_H

#define HOT_INLINE static inline __attribute__((always_inline))

#endif
