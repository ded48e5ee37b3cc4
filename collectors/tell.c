/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/tell.h"

#include <stdarg.h>
#include <stdio.h>

void tell(void (*problem)(void *context, const char *message), void *context, const char *format,
	  ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	problem(context, message);
}
