// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"
#include "fake_kernel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <services/init/supervisor.hpp>

namespace {

using base::u32;
using base::u64;
using svc::init::EndReason;
using svc::init::Supervisor;

/// A read of an address where nothing is mapped.
constexpr auto kDataAbort = static_cast<base::s32>(0x24u << 26 | 1u << 25 | 6);

constexpr svc::init::TaskEnd kFault{
    .reason = EndReason::Fault, .code = kDataAbort, .address = 0x10, .pc = 0x4000};

/// A server that is always restarted, one that never is, and a client of both.
struct System {
    System() {
        rom = build::romfs({{"p", build::Program{}.bytes()}});
        files = sdk::romfs::Reader::open(rom).value();
        auto builder = build::begin_system();
        builder.begin("valve").text("class", "plant.Valve").text("program", "p");
        builder.text("restart", "always").flag("serves").end();
        builder.begin("once").text("class", "plant.Once").text("program", "p").flag("serves").end();
        builder.begin("bad name that is far too long for a task of this system, so it is skipped")
            .end();
        builder.begin("client").text("class", "plant.Client").text("program", "p");
        builder.text("restart", "on-failure").begin("connections");
        builder.begin("c@0").text("id", "valve").text("target", "valve").end();
        builder.begin("c@1").text("id", "once").text("target", "once").end();
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

/// Lets time pass until the next planned restart and makes it.
void run_restarts(System& system, Supervisor& init) {
    REQUIRE(init.next_deadline() != 0);
    system.kernel.ticks = init.next_deadline();
    init.restart_due();
}

}  // namespace

TEST_CASE("what is only for dynamic channels is asked only when they are wanted",
          "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK_FALSE(init.wants_dynamic_channels());
    CHECK(init.start_all() == 3);
    CHECK(system.kernel.sids_asked == 0);  // a policy that does not grant it records no denial

    auto builder = build::begin_system();
    builder.begin("plain").text("class", "plant.Valve").text("program", "p").end();
    builder.begin("asks").text("class", "plant.Valve").text("program", "p");
    builder.flag("dynamic-channels").end();
    const build::Bytes blob = build::finish_system(builder);
    const sdk::fdt::Tree tree = sdk::fdt::open(blob).value();
    Supervisor other{system.kernel, system.files, tree};
    CHECK(other.wants_dynamic_channels());
    CHECK(other.start_all() == 2);
    CHECK(system.kernel.sids_asked == 1);
    CHECK(other.units()[0].life.sid == 0);
    CHECK(other.units()[1].life.sid != 0);
}

TEST_CASE("a process that faulted is back after its delay", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK(init.start_all() == 3);
    const u64 entry = system.kernel.find("valve")->entry;
    CHECK(init.next_deadline() == 0);
    init.on_task_ended(system.kernel.finish("valve", kFault));
    CHECK(system.kernel.find("valve") == nullptr);
    CHECK(init.next_deadline() == system.kernel.ticks + 100);
    init.restart_due();
    CHECK(system.kernel.find("valve") == nullptr);  // not yet
    run_restarts(system, init);
    REQUIRE(system.kernel.find("valve") != nullptr);
    CHECK(system.kernel.find("valve")->is_running);
    CHECK(system.kernel.find("valve")->serves);
    CHECK(system.kernel.find("valve")->entry != entry);
    CHECK(system.kernel.open_handles("task") == 3);
    CHECK(init.next_deadline() == 0);
}

TEST_CASE("the end of a process is told with its cause", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    const u64 image = system.kernel.find("valve")->entry - 0x10;
    auto end = kFault;
    end.pc = image + 0x1A4;
    init.on_task_ended(system.kernel.finish("valve", end));
    CHECK(fake::ipc().debug.find("init: task-ended task=valve reason=fault what=data-abort "
                                 "cause=translation address=0x10 pc=0x1a4\n") != std::string::npos);
    init.on_task_ended(system.kernel.finish("once", {.reason = EndReason::Exit, .code = -3}));
    CHECK(fake::ipc().debug.find("init: task-ended task=once reason=exit code=-3\n") !=
          std::string::npos);
    CHECK(fake::ipc().debug.find("init: component-skipped task=bad name") != std::string::npos);
    auto trap = kFault;
    trap.code = static_cast<base::s32>(0x3Cu << 26);
    trap.pc = system.kernel.find("client")->entry;
    init.on_task_ended(system.kernel.finish("client", trap));
    CHECK(fake::ipc().debug.find("init: task-ended task=client reason=fault what=breakpoint "
                                 "pc=0x10\n") != std::string::npos);
}

TEST_CASE("a process without a rule stays down", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    init.on_task_ended(system.kernel.finish("once", kFault));
    CHECK(init.next_deadline() == 0);
    init.on_task_ended(system.kernel.finish("client", {.reason = EndReason::Exit, .code = 0}));
    CHECK(init.next_deadline() == 0);
}

TEST_CASE("a restarted client is connected again", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    init.on_task_ended(system.kernel.finish("client", kFault));
    run_restarts(system, init);
    REQUIRE(system.kernel.find("client") != nullptr);
    CHECK(system.kernel.find("client")->handles ==
          std::vector<std::string>{"channel valve", "channel once"});
}

TEST_CASE("a process that keeps failing is given up", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    u32 restarts = 0;
    init.on_task_ended(system.kernel.finish("valve", kFault));
    while (init.next_deadline() != 0 && restarts < 100) {
        run_restarts(system, init);
        ++restarts;
        init.on_task_ended(system.kernel.finish("valve", kFault));
    }
    CHECK(restarts == svc::init::kMaxFailures);
    CHECK(fake::ipc().debug.find("init: task-given-up task=valve") != std::string::npos);
    CHECK(fake::ipc().debug.find("init: task-waits task=valve delay_ms=200 quick_failures=2\n") !=
          std::string::npos);
    CHECK(system.kernel.find("once")->is_running);
}

TEST_CASE("a process that is made to fail again and again by somebody is always back",
          "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    for (u32 i = 0; i < 50; ++i) {
        system.kernel.ticks += 1500;
        init.on_task_ended(system.kernel.finish("valve", kFault));
        CHECK(init.next_deadline() == system.kernel.ticks + svc::init::kFirstDelayMs);
        run_restarts(system, init);
    }
    CHECK(system.kernel.find("valve")->is_running);
    CHECK(fake::ipc().debug.find("task-waits") == std::string::npos);
}

TEST_CASE("a restart that fails is tried again later", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    init.on_task_ended(system.kernel.finish("valve", kFault));
    system.kernel.fail_at = system.kernel.calls + 5;
    run_restarts(system, init);
    CHECK(system.kernel.find("valve") == nullptr);
    CHECK(system.kernel.open_handles("memory") == 0);
    run_restarts(system, init);
    CHECK(system.kernel.find("valve") != nullptr);
}

TEST_CASE("notices that concern nobody change nothing", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    const std::string before = fake::ipc().debug;
    init.on_task_ended(0);  // it lives
    init.on_task_ended(17);
    init.on_task_ended(~u64{0});
    CHECK(fake::ipc().debug == before);
    CHECK(init.next_deadline() == 0);
}

TEST_CASE("a tree without components starts nothing", "[services][init]") {
    fake::reset();
    build::TreeBuilder builder;
    builder.begin("").end();
    const auto blob = builder.finish();
    const auto tree = sdk::fdt::open(blob).value();
    const auto rom = build::romfs({});
    const auto files = sdk::romfs::Reader::open(rom).value();
    fake::Kernel kernel;
    Supervisor init{kernel, files, tree};
    CHECK(init.start_all() == 0);
    CHECK(fake::ipc().debug == "init: no-components\n");
}
