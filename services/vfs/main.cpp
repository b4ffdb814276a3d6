// SPDX-License-Identifier: Apache-2.0
#include <runtime/process.hpp>
#include <services/vfs/process.hpp>

base::s32 sdk::program_main(const StartBlock& start) { return svc::vfs::run(start); }
