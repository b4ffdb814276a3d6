// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace test_fat {

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tessera-fat-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    path_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Ran run(const std::string& command) {
    const std::string all = "PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8 " + command + " 2>&1";
    FILE* const pipe = popen(all.c_str(), "r");
    if (pipe == nullptr) {
        throw std::runtime_error("no shell");
    }
    Ran ran;
    std::array<char, 4096> buffer{};
    for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        ran.output.append(buffer.data(), got);
    }
    ran.status = pclose(pipe);
    return ran;
}

void save(const std::string& path, const Bytes& data) {
    std::ofstream file(path, std::ios::binary);
    std::copy(data.begin(), data.end(), std::ostreambuf_iterator<char>(file));
}

Bytes load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string fsck(const Bytes& image) {
    const Folder folder;
    save(folder.path("image"), image);
    const Ran ran = run("fsck.fat -n " + folder.path("image"));
    return ran.status == 0 ? "" : ran.output;
}

}  // namespace test_fat
