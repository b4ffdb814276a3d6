// SPDX-License-Identifier: Apache-2.0
// What there is to files without files: paths and errors.
#include "check.hpp"

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

namespace {

namespace filesystem = std::filesystem;

void paths() {
    const filesystem::path path = "/one/two/../three.tar.gz";
    CHECK(path.filename() == "three.tar.gz");
    CHECK(path.extension() == ".gz" && path.stem() == "three.tar");
    CHECK(path.parent_path() == "/one/two/..");
    CHECK(path.lexically_normal() == "/one/three.tar.gz");
    CHECK(filesystem::path{"/a/d"}.lexically_relative("/a/b/c") == "../../d");
    CHECK(filesystem::path{"a"} / "b" / "/c" == "/c");
    CHECK(std::distance(path.begin(), path.end()) == 5);
    CHECK(path.is_absolute() && path.has_root_directory());
    CHECK(filesystem::path{u8"gr\u00fc\u00dfe"}.wstring().size() == 5);
}

void errors_have_names() {
    CHECK(std::make_error_code(std::errc::no_such_file_or_directory).message() ==
          "No such file or directory");
    const std::system_error error{std::make_error_code(std::errc::permission_denied), "here"};
    CHECK(std::string{error.what()} == "here: Permission denied");
    CHECK(error.code() == std::errc::permission_denied);
    CHECK(std::error_code(EAGAIN, std::system_category()) ==
          std::errc::resource_unavailable_try_again);
}

}  // namespace

void path_tests() {
    run_test("paths", paths);
    run_test("errors-have-names", errors_have_names);
}
