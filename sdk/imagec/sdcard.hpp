// SPDX-License-Identifier: Apache-2.0
// An SD card image for a Raspberry Pi 4, made without root and the same to the last bit for the
// same files: MBR, a FAT32 boot partition of 64 MiB, and a data partition without a file system.
// Its size is a power of two, as QEMU's card wants it. The partition and FAT tools of the system do
// the work.
#pragma once

#include <sdk/imagec/bytes.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

struct CardInputs {
    std::string image{};   // kernel8.img
    std::string config{};  // config.txt
    std::string tree{};    // device tree for the firmware to pass on; empty for none
    /// Folder with the board maker's start4.elf and fixup4.dat; empty for none. The project ships
    /// none of it.
    std::string firmware{};
    std::string output{};
};

/// A file on the boot partition.
struct CardFile {
    std::string name{};
    std::uint64_t size = 0;
};

/// Writes the card. CardFileMissing, CardTooSmall, ToolMissing, ToolFailed, File*.
Outcome<std::vector<CardFile>> make_card(const CardInputs& inputs);

}  // namespace sdk::imagec
