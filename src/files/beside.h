/* SPDX-License-Identifier: MIT */
/* What lies beside the running program: parts of the same build or installation. */
#ifndef TENF_FILES_BESIDE_H
#define TENF_FILES_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

/* The path of a file from the folder of the running program on, "../control/x.so". False
 * where there is none that may be used so (`mode` as of access(2)), the path is too
 * long, or the system does not tell where the program is. `ret` has `size` octets. */
bool beside_program(const char *relative, int mode, char *ret, size_t size);

#endif
