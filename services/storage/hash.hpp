// SPDX-License-Identifier: Apache-2.0
// Two public hash functions. XXH64 for blocks: 64 bits at less than an instruction a byte without
// vector registers or a CRC instruction, where CRC-32C by table takes three for half of the bits.
// SipHash-1-3 for names: with a secret key nobody can choose names that fall into one bucket.
#pragma once

#include <array>
#include <services/storage/result.hpp>
#include <span>
#include <string_view>

namespace svc::storage {

/// XXH64 of `data`, whose size is a multiple of 8.
u64 checksum(u64 seed, std::span<const u8> data);

/// SipHash-1-3 of `name`, below 2^63 and never 0, so that it can be a cursor of readdir.
u64 hash_name(const std::array<u64, 2>& key, std::string_view name);

}  // namespace svc::storage
