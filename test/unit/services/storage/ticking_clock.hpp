// SPDX-License-Identifier: Apache-2.0
// A clock that ticks at each look.
#pragma once

#include <services/storage/file_system.hpp>

namespace test_storage {

using namespace svc::storage;

class TickingClock final : public Clock {
public:
    s64 now_ns() override { return ++now_; }

private:
    s64 now_ = 1'000'000'000;
};

}  // namespace test_storage
