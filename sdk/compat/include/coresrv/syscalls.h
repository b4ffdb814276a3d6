// SPDX-License-Identifier: Apache-2.0
// The level below transports. Sources include this for the types; the calls on packed messages do
// not exist here: nk_transport_call, _recv and _reply on a transport are the way.
#pragma once

#include <handle/handletype.h>
#include <rtl/retcode.h>
#include <services/rtl/nk_msg.h>
