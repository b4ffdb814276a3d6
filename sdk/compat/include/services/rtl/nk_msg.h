// SPDX-License-Identifier: Apache-2.0
// The place where sources expect the macros for message headers.
#pragma once

#include <nk/message.h>
