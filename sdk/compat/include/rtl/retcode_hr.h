// SPDX-License-Identifier: Apache-2.0
// Codes for people: printf("failed: " RETCODE_HR_FMT, RETCODE_HR_PARAMS(rc)).
#pragma once

#include <rtl/retcode.h>

#define RETCODE_HR_FMT "%d (code %d)"
#define RETCODE_HR_PARAMS(rc) (rc), RC_GET_CODE(rc)
