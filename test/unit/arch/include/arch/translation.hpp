// SPDX-License-Identifier: Apache-2.0
// The real one, although <arch/...> is the mock architecture here.
#pragma once

#include <arch/aarch64/include/arch/translation.hpp>
