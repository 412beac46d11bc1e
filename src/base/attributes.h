/* SPDX-License-Identifier: MIT */
/* Compiler attributes behind names, so that C17 headers stay readable. */
#ifndef TENF_BASE_ATTRIBUTES_H
#define TENF_BASE_ATTRIBUTES_H

#if defined(__GNUC__) || defined(__clang__)
#define TENF_CHECKED __attribute__((warn_unused_result))
#define TENF_PRINTF(at, args) __attribute__((format(printf, at, args)))
#define TENF_PUBLIC __attribute__((visibility("default")))
#else
#define TENF_CHECKED
#define TENF_PRINTF(at, args)
#define TENF_PUBLIC
#endif

#define TENF_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
