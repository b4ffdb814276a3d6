// SPDX-License-Identifier: Apache-2.0
// Seen before tests of asynchronous I/O: they want of _POSIX_ASYNCHRONOUS_IO that it is the value
// of 2001 and no later one, and of <aio.h> that it declares what is in <fcntl.h>, which it then had
// to.
#pragma once
#define _XOPEN_SOURCE 600
#include <fcntl.h>
#include <unistd.h>
#undef _POSIX_ASYNCHRONOUS_IO
#define _POSIX_ASYNCHRONOUS_IO 200112L
