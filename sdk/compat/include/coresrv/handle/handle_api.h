// SPDX-License-Identifier: Apache-2.0
// The end of handles. Copying them, and objects of the program's own, are not there yet.
#pragma once

#include <handle/handletype.h>
#include <rtl/retcode.h>

NK_BEGIN_DECLS

/// Gives the handle back. rcInvalidArgument: there is no such handle.
Retcode KnHandleClose(Handle handle);

/// Closes every handle that was derived from this one, in all processes. rcInvalidArgument: there
/// is no such handle. rcNoCapability: without the right to.
Retcode KnHandleRevoke(Handle handle);

NK_END_DECLS
