// SPDX-License-Identifier: Apache-2.0
// Files by streams and by std::filesystem: on a ramfs at /, a safefs at /safe and a FAT at /fat.
#include "check.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr const char* kPlaces[] = {"/", "/safe", "/fat"};
constexpr std::string_view kFat = "/fat";
constexpr auto kLeapDay =
    std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + std::chrono::hours{12};

void in_each_place(void (*body)()) {
    for (const char* place : kPlaces) {
        fs::current_path(place);
        CHECK(fs::current_path() == place);
        body();
    }
    fs::current_path("/");
}

void write(const fs::path& path, const std::string& text) {
    std::ofstream out{path, std::ios::binary};
    CHECK(out.is_open());
    out << text;
    out.close();
    CHECK(out.good());
}

std::string read(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void streams() {
    in_each_place([] {
        write("a", "first\nsecond 2\n");
        std::ofstream{"a", std::ios::app} << "third\n";
        std::ifstream in{"a"};
        std::string line;
        int number = 0;
        CHECK(std::getline(in, line) && line == "first");
        CHECK(in >> line >> number && number == 2);
        CHECK(in.seekg(-6, std::ios::end) && in >> line && line == "third");
        CHECK(!(in >> line) && in.eof());
        std::fstream both{"a"};
        both.seekp(1);
        both << "IRS";
        both.seekg(0);
        CHECK(std::getline(both, line) && line == "fIRSt");
        both.close();
        CHECK(!std::ofstream{"a", std::ios::noreplace}.is_open());
        std::ofstream{"a"} << 'x';
        CHECK(read("a") == "x");
        CHECK(fs::remove("a") && !fs::remove("a"));
    });
}

void much() {
    std::string text(300'000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<char>(i * 31 >> 3);
    }
    for (const char* place : kPlaces) {
        const fs::path path = fs::path{place} / "much";
        write(path, text);
        CHECK(fs::file_size(path) == text.size());
        CHECK(read(path) == text);
        fs::resize_file(path, 1000);
        CHECK(read(path) == text.substr(0, 1000));
        CHECK(fs::remove(path));
    }
}

void directories() {
    in_each_place([] {
        CHECK(fs::create_directories("tree/one/two") && !fs::create_directories("tree/one/two"));
        write("tree/file", "1");
        write("tree/one/file", "22");
        write("tree/one/two/a longer name.text", "333");
        std::set<std::string> names;
        std::uintmax_t bytes = 0;
        for (const auto& entry : fs::recursive_directory_iterator{"tree"}) {
            names.insert(entry.path().string());
            bytes += entry.is_regular_file() ? entry.file_size() : 0;
        }
        CHECK(names == (std::set<std::string>{"tree/file",
                                              "tree/one",
                                              "tree/one/file",
                                              "tree/one/two",
                                              "tree/one/two/a longer name.text"}));
        CHECK(bytes == 6);
        fs::copy("tree", "copy", fs::copy_options::recursive);
        CHECK(read("copy/one/two/a longer name.text") == "333");
        fs::rename("copy/one", "copy/other");
        CHECK(fs::exists("copy/other/file") && !fs::exists("copy/one"));
        CHECK(fs::canonical("copy/other/../file") == fs::current_path() / "copy/file");
        CHECK(fs::equivalent("copy/file", "copy/other/../file") &&
              !fs::equivalent("copy/file", "tree/file"));
        CHECK(fs::remove_all("copy") == 6);
        CHECK(fs::remove_all("tree") == 6 && fs::remove_all("tree") == 0);
        CHECK(!fs::exists("tree"));
    });
}

void many() {
    constexpr int kFiles = 100;
    in_each_place([] {
        fs::create_directory("many");
        for (int i = 0; i < kFiles; ++i) {
            write("many/" + std::to_string(i), std::to_string(i));
        }
        CHECK(std::distance(fs::directory_iterator{"many"}, {}) == kFiles);
        CHECK(read("many/77") == "77");
        CHECK(fs::remove_all("many") == kFiles + 1);
    });
}

void attributes() {
    in_each_place([] {
        write("a", "12345");
        CHECK(fs::is_regular_file("a") && !fs::is_directory("a") && fs::file_size("a") == 5);
        CHECK(fs::is_directory(".") && !fs::is_empty("."));
        const auto time = fs::file_time_type::clock::from_sys(kLeapDay);
        fs::last_write_time("a", time);
        const auto apart = fs::last_write_time("a") - time;  // FAT counts in steps of two seconds
        CHECK(std::chrono::abs(apart) <= std::chrono::seconds{2});
        CHECK(fs::space(".").capacity > fs::space(".").available);
        fs::permissions("a", fs::perms::owner_write, fs::perm_options::remove);
        CHECK((fs::status("a").permissions() & fs::perms::owner_write) == fs::perms::none);
        CHECK(!std::ofstream{"a"}.is_open());
        fs::permissions("a", fs::perms::owner_write, fs::perm_options::add);
        CHECK(std::ofstream{"a"}.is_open());
        CHECK(fs::is_character_file("/dev/null") && fs::is_empty("a"));
        CHECK(fs::remove("a"));
    });
}

void links() {
    in_each_place([] {
        write("a", "text");
        std::error_code error;
        fs::create_hard_link("a", "b", error);
        if (fs::current_path() == kFat) {
            CHECK(static_cast<bool>(error));
            fs::create_symlink("a", "c", error);
            CHECK(static_cast<bool>(error));
        } else {
            CHECK(!error && fs::hard_link_count("a") == 2 && fs::equivalent("a", "b"));
            fs::create_symlink("a", "c");
            CHECK(fs::is_symlink("c") && fs::read_symlink("c") == "a" && read("c") == "text");
            fs::create_directory_symlink("nowhere", "d");
            CHECK(!fs::exists("d") && fs::is_symlink(fs::symlink_status("d")));
            CHECK(fs::remove("b") && fs::remove("c") && fs::remove("d"));
        }
        CHECK(fs::remove("a"));
    });
}

template <typename Action> bool fails(std::errc error, Action action) {
    try {
        action();
    } catch (const fs::filesystem_error& thrown) {
        return thrown.code() == error;
    }
    return false;
}

void refusals() {
    in_each_place([] {
        using enum std::errc;
        write("file", "x");
        fs::create_directory("full");
        write("full/file", "y");
        CHECK(fails(no_such_file_or_directory, [] { (void)fs::file_size("none"); }));
        CHECK(fails(no_such_file_or_directory, [] { fs::create_directory("none/sub"); }));
        CHECK(fails(no_such_file_or_directory, [] { fs::directory_iterator{"none"}; }));
        CHECK(fails(no_such_file_or_directory, [] { fs::rename("none", "other"); }));
        CHECK(fails(not_a_directory, [] { fs::directory_iterator{"file"}; }));
        CHECK(fails(not_a_directory, [] { fs::create_directory("file/sub"); }));
        CHECK(fails(directory_not_empty, [] { fs::remove("full"); }));
        CHECK(fails(file_exists, [] { fs::copy_file("file", "full/file"); }));
        CHECK(fs::copy_file("file", "full/file", fs::copy_options::overwrite_existing) &&
              read("full/file") == "x");
        CHECK(!fs::copy_file("file", "full/file", fs::copy_options::skip_existing));
        CHECK(!std::ifstream{"none"}.is_open() && !std::ofstream{"full"}.is_open());
        CHECK(fs::remove_all("full") == 2 && fs::remove("file"));
    });
}

void full_disk() {
    std::ofstream out{"/small/file"};
    const std::string block(4096, 'x');
    int written = 0;
    while (written < 100 && out << block << std::flush) {
        ++written;
    }
    CHECK(out.bad() && written > 2 && written < 17);
    out.close();
    std::ofstream loud{"/small/other"};
    loud.exceptions(std::ios::badbit);
    CHECK(throws<std::ios_base::failure>([&] { loud << block << block << std::flush; }));
    loud.exceptions(std::ios::goodbit);
    loud.close();
    CHECK(fs::remove("/small/file") && fs::remove("/small/other"));
    CHECK(!std::ofstream{"/ro/file"}.is_open());
}

void by_threads() {
    constexpr int kThreads = 6;
    constexpr int kLines = 60;
    in_each_place([] {
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < kThreads; ++i) {
                threads.emplace_back([i] {
                    std::ofstream out{"of-" + std::to_string(i)};
                    for (int line = 0; line < kLines; ++line) {
                        out << i << ' ' << line << std::endl;
                    }
                });
            }
        }
        for (int i = 0; i < kThreads; ++i) {
            std::ifstream in{"of-" + std::to_string(i)};
            int found = 0;
            for (int thread = 0, line = 0; in >> thread >> line;) {
                found += thread == i && line == found ? 1 : 0;
            }
            CHECK(found == kLines);
            CHECK(fs::remove("of-" + std::to_string(i)));
        }
    });
}

}  // namespace

void file_tests() {
    run_test("file-streams", streams);
    run_test("large-files", much);
    run_test("directories", directories);
    run_test("many-files", many);
    run_test("attributes-of-files", attributes);
    run_test("links", links);
    run_test("refusals-of-files", refusals);
    run_test("full-disk", full_disk);
    run_test("files-by-threads", by_threads);
}
