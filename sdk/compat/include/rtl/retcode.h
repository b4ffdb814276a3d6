// SPDX-License-Identifier: Apache-2.0
// What functions of the system return: 0, or a negative code. Those that the kernel answers are its
// own numbers (base::Status); sdk/compat/status.cpp asserts that they are.
#pragma once

#include <rtl/stdint.h>

typedef __INT32_TYPE__ Retcode;

/// The number of a code in its group; 0 for rcOk.
#define RC_GET_CODE(rc) (-(rc) & 0xFFFF)

#define rcOk 0
#define rcFail (-0x7FFF0001)
#define rcInvalidArgument (-0x7FFF0002)
#define rcNotConnected (-0x7FFF0003)
#define rcOutOfMemory (-0x7FFF0004)
#define rcBufferTooSmall (-0x7FFF0005)
#define rcBufferTooLarge (-0x7FFF0006)
#define rcInternalError (-0x7FFF0007)
#define rcSourceFault (-0x7FFF0008)
#define rcTargetFault (-0x7FFF0009)
#define rcIpcInterrupt (-0x7FFF000A)
#define rcNoCapability (-0x7FFF000D)
#define rcNotReady (-0x7FFF000E)
#define rcUnimplemented (-0x7FFF000F)
#define rcBusy (-0x7FFF0010)
#define rcResourceNotFound (-0x7FFF0011)
#define rcTimeout (-0x7FFF0012)
#define rcSecurityDisallow (-0x7FFF0013)
#define rcAlreadyExists (-0x7FFF0014)
#define rcHandleRevoked (-0x7FFF0017)

// Never answered by the kernel.
#define rcInvalidOperation (-0x7FFF0100)
#define rcTransferError (-0x7FFF0101)
#define rcReceiveError (-0x7FFF0102)
#define rcRestart (-0x7FFF0103)
#define rcFutexWouldBlock (-0x7FFF0104)
#define rcAbort (-0x7FFF0105)
#define rcInvalidThreadState (-0x7FFF0106)
#define rcQuotaExceeded (-0x7FFF0107)
#define rcDeviceNotFound (-0x7FFF0108)
