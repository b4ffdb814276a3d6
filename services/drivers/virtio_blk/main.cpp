// SPDX-License-Identifier: Apache-2.0
#include <runtime/process.hpp>
#include <services/drivers/virtio_blk/driver.hpp>

base::s32 sdk::program_main(const StartBlock& start) { return svc::virtio_blk::run(start); }
