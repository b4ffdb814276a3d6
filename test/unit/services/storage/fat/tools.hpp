// SPDX-License-Identifier: Apache-2.0
// The programs of others: fsck.fat, mkfs.fat and mtools, on an image in a temporary file.
#pragma once

#include "../memory_device.hpp"

#include <string>

namespace test_fat {

using test_storage::Bytes;

/// Name of a file that goes with this object, in a folder of its own.
class Folder final {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

struct Ran {
    int status = 0;
    std::string output;
};

Ran run(const std::string& command);

void save(const std::string& path, const Bytes& data);

Bytes load(const std::string& path);

/// What fsck.fat complains about, or nothing.
std::string fsck(const Bytes& image);

}  // namespace test_fat
