// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"
#include "fake_kernel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <services/init/supervisor.hpp>

namespace {

using base::u32;
using base::u64;
using svc::init::Supervisor;

constexpr u64 kPeriod = 200;  // ticks of the simulated kernel are milliseconds

/// One that owes signs of life and is restarted, one that owes them and is not, one that owes none.
struct System {
    System() {
        rom = build::romfs({{"p", build::Program{}.bytes()}});
        files = sdk::romfs::Reader::open(rom).value();
        auto builder = build::begin_system();
        builder.begin("pump").text("class", "plant.Pump").text("program", "p");
        builder.text("restart", "on-failure").cells("heartbeat", {kPeriod}).end();
        builder.begin("once").text("class", "plant.Once").text("program", "p");
        builder.cells("heartbeat", {kPeriod}).end();
        builder.begin("quiet").text("class", "plant.Quiet").text("program", "p").end();
        blob = build::finish_system(builder);
        tree = sdk::fdt::open(blob).value();
        fake::reset();
    }

    /// Lets `ticks` pass for an init that does in time what is due.
    void pass(Supervisor& init, u64 ticks) {
        const u64 end = kernel.ticks + ticks;
        while (init.next_deadline() != 0 && init.next_deadline() <= end) {
            kernel.ticks = std::max(kernel.ticks, init.next_deadline());
            init.end_hung();
            init.restart_due();
        }
        kernel.ticks = end;
    }

    bool lives(const std::string& name) { return kernel.find(name) != nullptr; }

    build::Bytes rom{};
    sdk::romfs::Reader files{};
    build::Bytes blob{};
    sdk::fdt::Tree tree{};
    fake::Kernel kernel{};
};

constexpr u64 kPump = 0;
constexpr u64 kOnce = 1;
constexpr u64 kQuiet = 2;

bool was_logged(const std::string& line) {
    return fake::ipc().debug.find(line) != std::string::npos;
}

}  // namespace

TEST_CASE("who is silent is ended after one and a half periods, and restarted by his rule",
          "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    system.pass(init, kPeriod / 2);
    CHECK(init.on_beat(kOnce, 0, 0) == kPeriod);
    system.pass(init, kPeriod - 1);
    CHECK(system.lives("pump"));
    CHECK(init.on_beat(kOnce, 0, 0) == kPeriod);
    system.pass(init, 1);
    CHECK_FALSE(system.lives("pump"));
    CHECK(system.lives("once"));
    CHECK(system.lives("quiet"));
    CHECK(was_logged("init: task-hung task=pump why=silent\n"));
    init.on_task_ended(kPump);
    CHECK(was_logged("init: task-ended task=pump reason=terminated"));
    system.pass(init, svc::init::kFirstDelayMs);
    CHECK(system.lives("pump"));

    system.pass(init, 2 * kPeriod);
    CHECK_FALSE(system.lives("once"));
    init.on_task_ended(kOnce);
    system.pass(init, 100 * kPeriod);
    CHECK_FALSE(system.lives("once"));  // no rule, no next life
    CHECK(system.lives("quiet"));
}

TEST_CASE("who gives signs lives, whether he has work or none", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    for (u64 done = 1; done <= 50; ++done) {
        system.pass(init, kPeriod - 1);
        CHECK(init.on_beat(kPump, done, 7) == kPeriod);
        CHECK(init.on_beat(kOnce, 0, 0) == kPeriod);
    }
    CHECK(system.lives("pump"));
    CHECK(system.lives("once"));
}

TEST_CASE("who has work and gets nothing done is ended like the silent", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    system.pass(init, kPeriod / 4);
    CHECK(init.on_beat(kPump, 5, 1) == kPeriod);
    for (u32 i = 0; i < 5; ++i) {
        system.pass(init, kPeriod / 4);
        CHECK(system.lives("pump"));
        CHECK(init.on_beat(kPump, 5, 1) == kPeriod);
        (void)init.on_beat(kOnce, 0, 0);
    }
    system.pass(init, kPeriod / 4);
    CHECK_FALSE(system.lives("pump"));
    CHECK(was_logged("init: task-hung task=pump why=no-progress\n"));
}

TEST_CASE("a late sign is in time when init itself was late", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    system.kernel.ticks += 10 * kPeriod;  // nobody ran meanwhile
    init.end_hung();
    CHECK(init.on_beat(kPump, 0, 0) == kPeriod);
    CHECK(init.on_beat(kOnce, 0, 0) == kPeriod);
    system.pass(init, kPeriod - 1);
    CHECK(system.lives("pump"));
    CHECK(system.lives("once"));
}

TEST_CASE("nobody waits for signs of who owes none", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    CHECK(init.on_beat(kQuiet, 1, 0) == 0);
    CHECK(init.on_beat(3, 1, 0) == 0);
    CHECK(init.on_beat(~u64{0}, 1, 0) == 0);
    init.on_task_ended(system.kernel.finish("pump", {}));
    CHECK(init.on_beat(kPump, 1, 0) == 0);
    init.on_task_ended(system.kernel.finish("once", {}));
    CHECK(init.next_deadline() == 0);
}
