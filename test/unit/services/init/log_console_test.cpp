// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"
#include "fake_kernel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <runtime/log.hpp>
#include <services/init/supervisor.hpp>

namespace {

using svc::init::Status;
using svc::init::Supervisor;

/// A driver, started second, and a client that has it as its console.
struct System {
    System() {
        rom = build::romfs({{"p", build::Program{}.bytes()}});
        files = sdk::romfs::Reader::open(rom).value();
        auto builder = build::begin_system();
        builder.begin("first").text("class", "c.First").text("program", "p").end();
        builder.begin("uart").text("class", "c.Uart").text("program", "p").flag("serves").end();
        builder.begin("client").text("class", "c.Client").text("program", "p");
        builder.begin("connections");
        builder.begin("c@0").text("id", "console").text("target", "uart").end();
        builder.end().end();
        blob = build::finish_system(builder);
        tree = sdk::fdt::open(blob).value();
        fake::reset();
    }

    build::Bytes rom{};
    sdk::romfs::Reader files{};
    build::Bytes blob{};
    sdk::fdt::Tree tree{};
    fake::Kernel kernel{};
};

void log(std::string_view event) { sdk::LogLine{"init", event}; }

}  // namespace

TEST_CASE("init's lines go to the console once its driver was started", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK(init.start_all() == 3);
    CHECK(fake::ipc().debug == "init: task-started task=first class=c.First\n");
    CHECK(system.kernel.console ==
          std::vector<std::string>{"init: task-started task=uart class=c.Uart",
                                   "init: task-started task=client class=c.Client"});
}

TEST_CASE("a console that is away leaves the line to the kernel's log", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    fake::ipc().debug.clear();
    system.kernel.console.clear();
    system.kernel.console_answers = {Status::NotConnected, Status::NotConnected};
    log("away");
    CHECK(fake::ipc().debug == "init: away\n");
    system.kernel.console_answers = {Status::NotConnected};
    log("back");
    system.kernel.console_answers = {Status::Busy};
    log("full");
    CHECK(system.kernel.console == std::vector<std::string>{"init: back"});
    CHECK(fake::ipc().debug == "init: away\ninit: full\n");
}

TEST_CASE("a console that does not answer is left alone for a while", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    fake::ipc().debug.clear();
    system.kernel.console.clear();
    system.kernel.console_answers = {Status::Timeout};
    const auto before = system.kernel.ticks;
    log("one");
    CHECK(system.kernel.ticks - before <= 200);  // of 1000 a second
    const auto waited = system.kernel.ticks;
    log("two");
    CHECK(system.kernel.ticks == waited);
    CHECK(fake::ipc().debug == "init: one\ninit: two\n");
    system.kernel.ticks += 10'000;
    log("three");
    CHECK(system.kernel.console == std::vector<std::string>{"init: three"});
}

TEST_CASE("a policy that refuses is asked once", "[services][init]") {
    System system;
    system.kernel.console_answers = {Status::SecurityDisallow};
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    CHECK(system.kernel.console.empty());
    CHECK(system.kernel.open_handles("channel") == 0);
    CHECK(fake::ipc().debug.find("task=client") != std::string::npos);
}
