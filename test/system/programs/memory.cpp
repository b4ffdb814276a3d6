// SPDX-License-Identifier: Apache-2.0
// kl.core.VMM: what is mapped, how, and what is refused. Never writable and executable, by any way.
#include <kl/core/Task.idl.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

constexpr u32 kWriteAndRun = kWritable | kRunnable;

void never_both(Report& report) {
    {
        Test test{report, "memory.never-writable-and-executable"};
        test.equal(
            "Allocate", vmm().Allocate(0, kPage, kWriteAndRun).status(), Status::InvalidArgument);
        const u64 page = allocate(kPage);
        test.equal(
            "Protect", vmm().Protect(page, kPage, kWriteAndRun).status(), Status::InvalidArgument);
        test.equal("to execute", vmm().Protect(page, kPage, kRunnable).status(), Status::Ok);
        test.equal("free", vmm().Free(page, kPage).status(), Status::Ok);
    }
    Test test{report, "memory.no-alias-makes-code-writable"};
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    test.equal("both at once",
               vmm().MdlMap(memory, 0, kPage, 0, kWriteAndRun).status(),
               Status::InvalidArgument);
    const auto writable = vmm().MdlMap(memory, 0, kPage, 0, kWritable);
    test.equal("writable", writable.status(), Status::Ok);
    test.equal(
        "executable alias", vmm().MdlMap(memory, 0, kPage, 0, kRunnable).status(), Status::Busy);
    test.equal("readable alias made executable",
               vmm().Protect(writable.value().at, kPage, kRunnable).status(),
               Status::InvalidArgument);
    (void)vmm().Free(writable.value().at, kPage);
    const auto runnable = vmm().MdlMap(memory, 0, kPage, 0, kRunnable);
    test.equal("executable", runnable.status(), Status::Ok);
    test.equal(
        "writable alias", vmm().MdlMap(memory, 0, kPage, 0, kWritable).status(), Status::Busy);
    (void)vmm().Free(runnable.value().at, kPage);
    (void)handles().Close(memory);
}

void refused(Report& report) {
    Test test{report, "memory.wrong-arguments-refused"};
    constexpr u64 kUserEnd = u64{1} << 39;
    const auto allocate_at = [](u64 address, u64 size, u32 flags) {
        return vmm().Allocate(address, size, flags).status();
    };
    test.equal("no size", allocate_at(0, 0, kWritable), Status::InvalidArgument);
    test.equal("odd size", allocate_at(0, 100, kWritable), Status::InvalidArgument);
    test.equal("odd address", allocate_at(0x10'0001, kPage, kWritable), Status::InvalidArgument);
    test.equal("no access", allocate_at(0, kPage, 0), Status::InvalidArgument);
    test.equal("unknown flags", allocate_at(0, kPage, 16), Status::InvalidArgument);
    test.equal("reserved and more", allocate_at(0, kPage, 9), Status::InvalidArgument);
    test.equal("kernel half",
               allocate_at(0xFFFF'FFC0'0000'0000, kPage, kWritable),
               Status::InvalidArgument);
    test.equal(
        "end of the user half", allocate_at(kUserEnd, kPage, kWritable), Status::InvalidArgument);
    test.equal("across the end",
               allocate_at(kUserEnd - kPage, 2 * kPage, kWritable),
               Status::InvalidArgument);
    test.equal("that wraps",
               allocate_at(0x1000'0000, ~u64{0} - 0xFFF, kWritable),
               Status::InvalidArgument);
    test.require("larger than memory", !vmm().Allocate(0, u64{1} << 38, kWritable).ok());
    const u64 page = allocate(kPage);
    test.equal("occupied", allocate_at(page, kPage, kWritable), Status::AlreadyExists);
    test.equal("free of a part", vmm().Free(page, 2 * kPage).status(), Status::InvalidArgument);
    test.equal("free", vmm().Free(page, kPage).status(), Status::Ok);
    test.equal("free twice", vmm().Free(page, kPage).status(), Status::InvalidArgument);
    test.equal(
        "protect nothing", vmm().Protect(page, kPage, kReadable).status(), Status::InvalidArgument);
    test.equal("memory object of no size", vmm().MdlCreate(0, 0).status(), Status::InvalidArgument);
    test.equal("odd memory object", vmm().MdlCreate(5, 0).status(), Status::InvalidArgument);
}

void part_of_object(Report& report) {
    Test test{report, "memory.parts-of-an-object"};
    const u32 memory = vmm().MdlCreate(4 * kPage, 0).value().mdl.handle;
    test.equal("size", vmm().MdlGetSize(memory).value().size, 4 * kPage);
    const auto map = [memory](u64 offset, u64 length) {
        return vmm().MdlMap(memory, offset, length, 0, kWritable);
    };
    test.equal("behind the end", map(4 * kPage, kPage).status(), Status::InvalidArgument);
    test.equal("across the end", map(3 * kPage, 2 * kPage).status(), Status::InvalidArgument);
    test.equal("that wraps", map(~u64{0} - 0xFFF, 2 * kPage).status(), Status::InvalidArgument);
    test.equal("odd offset", map(8, kPage).status(), Status::InvalidArgument);
    const auto whole = map(0, 4 * kPage);
    const auto part = map(2 * kPage, kPage);
    at<volatile u64>(whole.value().at + 2 * kPage) = 99;
    test.equal("same memory", at<volatile u64>(part.value().at), 99);
    (void)vmm().Free(whole.value().at, 4 * kPage);
    (void)handles().Close(memory);
    test.equal("a mapping keeps it", at<volatile u64>(part.value().at), 99);
    (void)vmm().Free(part.value().at, kPage);
}

void zeroed(Report& report) {
    Test test{report, "memory.comes-zeroed"};
    constexpr u64 kSize = 64 * kPage;
    for (u32 round = 0; round < 5; ++round) {
        const u64 area = allocate(kSize);
        test.require("memory", area != 0);
        for (u64 i = 0; area != 0 && i < kSize; i += 8) {
            test.equal("old content", at<volatile u64>(area + i), 0);
            at<volatile u64>(area + i) = 0xDEAD'BEEF'0000'0000 + i;
        }
        (void)vmm().Free(area, kSize);
    }
}

void exact(Report& report) {
    Test test{report, "memory.accounts-are-exact"};
    const u64 warm = allocate(kPage);  // page tables of the place
    (void)vmm().Free(warm, kPage);
    const Holdings before = settled_holdings();
    const u64 left = pages_left();
    for (u32 i = 0; i < 100; ++i) {
        const u64 area = allocate(8 * kPage);
        test.require("memory", area != 0);
        (void)vmm().Free(area, 8 * kPage);
        const u32 memory = vmm().MdlCreate(8 * kPage, 0).value().mdl.handle;
        const auto view = vmm().MdlMap(memory, 0, 8 * kPage, 0, kWritable);
        (void)handles().Close(memory);
        (void)vmm().Free(view.value().at, 8 * kPage);
    }
    require_restored(test, before);
    test.equal("budget", pages_left(), left);
}

void reserved(Report& report) {
    Test test{report, "memory.reserve-commit-decommit"};
    constexpr u64 kSize = 64 * kPage;
    const u64 left = pages_left();
    const auto place = vmm().Allocate(0, kSize, kl::core::VMM::Reserve);
    test.equal("reserve", place.status(), Status::Ok);
    const u64 start = place.value().at;
    test.equal("reserved costs nothing", pages_left(), left);
    const auto commit = [](u64 address, u64 size, u32 flags = kWritable) {
        return vmm().Commit(address, size, flags).status();
    };
    const auto decommit = [](u64 address, u64 size) {
        return vmm().Decommit(address, size).status();
    };
    test.equal("commit", commit(start + kPage, 9 * kPage), Status::Ok);
    test.equal("content", at<volatile u64>(start + 5 * kPage), 0);
    at<volatile u64>(start + 5 * kPage) = 1;
    test.equal("commit twice", commit(start + 9 * kPage, 2 * kPage), Status::AlreadyExists);
    test.equal("beyond", commit(start + kSize, kPage), Status::InvalidArgument);
    test.equal("odd", commit(start + 1, kPage), Status::InvalidArgument);
    test.equal("flags", commit(start, kPage, kWriteAndRun), Status::InvalidArgument);
    test.equal("nothing there", commit(0x7000'0000, kPage), Status::InvalidArgument);
    test.equal("decommit", decommit(start, kSize), Status::Ok);
    test.equal("decommit beyond", decommit(start, kSize + kPage), Status::InvalidArgument);
    const auto found = vmm().Query(start + 3 * kPage);
    test.require("query",
                 found.ok() && found.value().start == start && found.value().size == kSize &&
                     found.value().flags == 0);
    test.equal("query of nothing", vmm().Query(0x7000'0000).status(), Status::ResourceNotFound);
    test.equal("protect reserved",
               vmm().Protect(start, kPage, kReadable).status(),
               Status::InvalidArgument);
    test.equal("again", commit(start + 5 * kPage, kPage), Status::Ok);
    test.equal("cleared", at<volatile u64>(start + 5 * kPage), 0);
    const u64 too_much = (pages_left() + 1) * kPage;
    const u64 large = vmm().Allocate(0, too_much, kl::core::VMM::Reserve).value().at;
    const u64 before = pages_left();
    test.equal("beyond the budget", commit(large, too_much), Status::OutOfMemory);
    test.require("nothing of it stays", pages_left() + 32 > before, before - pages_left());
    test.equal("free", vmm().Free(start, kSize).status(), Status::Ok);
    test.equal("free", vmm().Free(large, too_much).status(), Status::Ok);
}

void objects_of_memory(Report& report) {
    Test test{report, "memory.objects-of-memory-and-parts"};
    const u64 area = allocate(8 * kPage);
    at<volatile u64>(area + 4 * kPage) = 4711;
    const auto convert = [](u64 address, u64 size, u32 flags = 0) {
        return vmm().MdlCreateFromVm(address, size, flags);
    };
    test.equal("a part", convert(area, 7 * kPage).status(), Status::InvalidArgument);
    test.equal("flags", convert(area, 8 * kPage, 8).status(), Status::InvalidArgument);
    test.equal("odd access", vmm().Protect(area, kPage, kReadable).status(), Status::Ok);
    test.equal("mixed", convert(area, 8 * kPage).status(), Status::InvalidArgument);
    test.equal("even access", vmm().Protect(area, kPage, kWritable).status(), Status::Ok);
    const auto made = convert(area, 8 * kPage);
    test.equal("made", made.status(), Status::Ok);
    const u32 whole = made.value().mdl.handle;
    test.equal("code of data", vmm().MdlMap(whole, 0, kPage, 0, kRunnable).status(), Status::Busy);
    test.equal("no longer its own",
               vmm().Protect(area, kPage, kReadable).status(),
               Status::InvalidArgument);
    const auto clone = [](u32 mdl, u64 offset, u64 size, u32 flags) {
        return vmm().MdlClone(mdl, offset, size, flags);
    };
    test.equal("beyond", clone(whole, 7 * kPage, 2 * kPage, 0).status(), Status::InvalidArgument);
    test.equal("odd", clone(whole, 1, kPage, 0).status(), Status::InvalidArgument);
    test.equal("flags", clone(whole, 0, kPage, 8).status(), Status::InvalidArgument);
    test.equal("no object", clone(sdk::kKernelHandle, 0, kPage, 0).status(), Status::WrongType);
    test.equal("no handle", clone(0x7F00'0001, 0, kPage, 0).status(), Status::BadHandle);
    const u32 part = clone(whole, 4 * kPage, 2 * kPage, kReadable).value().clone.handle;
    test.equal("size", vmm().MdlGetSize(part).value().size, 2 * kPage);
    test.equal("not for writing",
               vmm().MdlMap(part, 0, kPage, 0, kWritable).status(),
               Status::NoCapability);
    test.equal("beyond the part",
               vmm().MdlMap(part, kPage, 2 * kPage, 0, kReadable).status(),
               Status::InvalidArgument);
    const u64 view = vmm().MdlMap(part, 0, kPage, 0, kReadable).value().at;
    test.equal("same memory", view != 0 ? at<volatile u64>(view) : 0, 4711);
    const u32 bare = handles().Copy(part, 0, 0).value().copy;
    test.equal("no copies", clone(bare, 0, kPage, 0).status(), Status::NoCapability);
    test.equal("revoked", handles().Revoke(whole).status(), Status::Ok);
    test.equal("with its source", vmm().MdlGetSize(part).status(), Status::BadHandle);
    (void)vmm().Free(area, 8 * kPage);
    (void)vmm().Free(view, kPage);
    (void)handles().Close(whole);
}

/// A marker written by one process must not be seen by the next one.
s32 mark_memory(u64) {
    const u64 area = allocate(32 * kPage);
    for (u64 i = 0; i < 32 * kPage; i += 8) {
        at<volatile u64>(area + i) = 0x5EC2'E700'5EC2'E700;
    }
    return area != 0 ? 0 : 1;
}

s32 look_for_marks(u64) {
    const u64 area = allocate(64 * kPage);
    for (u64 i = 0; i < 64 * kPage; i += 8) {
        if (at<volatile u64>(area + i) != 0) {
            return 1;
        }
    }
    return area != 0 ? 0 : 2;
}

void between_processes(Report& report, const Context& context) {
    Test test{report, "memory.of-the-dead-is-cleared"};
    Spawner spawner{context};
    for (u32 i = 0; i < 5; ++i) {
        test.equal("marks", spawner.run(mark_memory, 0).code, 0);
        test.equal("looks", spawner.run(look_for_marks, 0).code, 0);
    }
}

/// Memory that was freed on one CPU is gone on all: another thread touches it and must fault.
struct Board {
    volatile u64 address;
    volatile u32 ready;
    volatile u32 freed;
};

s32 stale_mapping(u64 board) {
    auto& shared = at<Board>(board);
    const u64 stack = allocate(2 * kPage);
    shared.address = allocate(kPage);
    (void)threads().Create(__builtin_bit_cast(
                               u64,
                               +[](Board* given) {
                                   auto& word = at<volatile u64>(given->address);
                                   word = 1;
                                   given->ready = 1;
                                   while (given->freed == 0) {
                                   }
                                   word = 2;  // must fault
                                   (void)tasks().Exit(3);
                               }),
                           stack + 2 * kPage,
                           board,
                           0,
                           100);
    while (shared.ready == 0) {
        (void)threads().Sleep(0);
    }
    (void)vmm().Free(shared.address, kPage);
    shared.freed = 1;
    (void)threads().Sleep(~u64{0} >> 1);
    return 4;
}

void stale_everywhere(Report& report, const Context& context) {
    Test test{report, "memory.freed-is-gone-on-every-cpu"};
    Spawner spawner{context};
    for (u32 i = 0; i < 10; ++i) {
        spawner.board<Board>().ready = 0;
        spawner.board<Board>().freed = 0;
        const Ending ending = spawner.run(stale_mapping, spawner.board_address());
        test.require(
            "fault", ending.ended && ending.reason == kFaulted, static_cast<u64>(ending.code));
        test.equal("address", ending.address, spawner.board<Board>().address);
    }
}

/// A thread reads memory that another one gives back, while a neighbour takes all it can get and
/// fills it with its secret.
struct Yard {
    volatile u64 address;
    volatile u64 seen;  // the last that was read; what is foreign stays
    volatile u32 ready;
    volatile u32 way;
    volatile u32 stop;
};

constexpr u64 kOwn = 0x0F0F'0000;
constexpr u64 kSecret = 0x5EC2'E700'5EC2'E700;

enum Way : u32 { kFree, kDecommit, kUnmap, kProtect, kWays };

void hold_on(Yard* yard) {
    auto& word = at<volatile u64>(yard->address);
    word = kOwn;
    yard->ready = 1;
    for (;;) {
        const u64 seen = word;
        yard->seen = seen;
        if (seen != kOwn || yard->way == kProtect) {
            word = seen;  // where reading is allowed still
        }
        if (seen != kOwn) {
            (void)tasks().Exit(3);
        }
    }
}

s32 give_away(u64 board) {
    auto& yard = at<Yard>(board);
    const u64 stack = allocate(2 * kPage);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    yard.address = yard.way == kUnmap ? vmm().MdlMap(memory, 0, kPage, 0, kWritable).value().at
                                      : allocate(kPage);
    (void)threads().Create(__builtin_bit_cast(u64, &hold_on), stack + 2 * kPage, board, 0, 100);
    while (yard.ready == 0) {
        (void)threads().Sleep(0);
    }
    switch (yard.way) {
    case kDecommit:
        (void)vmm().Decommit(yard.address, kPage);
        break;
    case kProtect:
        (void)vmm().Protect(yard.address, kPage, kReadable);
        break;
    default:
        (void)handles().Close(memory);
        (void)vmm().Free(yard.address, kPage);
    }
    (void)threads().Sleep(~u64{0} >> 1);
    return 4;
}

s32 keep_secrets(u64 board) {
    constexpr u64 kSize = 32 * kPage;
    while (at<Yard>(board).stop == 0) {
        const u64 area = allocate(kSize);
        for (u64 i = 0; area != 0 && i < kSize; i += kPage / 4) {
            at<volatile u64>(area + i) = kSecret;
        }
        (void)vmm().Free(area, kSize);
    }
    return 0;
}

void given_to_others(Report& report, const Context& context) {
    Test test{report, "memory.what-others-get-is-not-seen-by-who-had-it"};
    Spawner spawner{context};
    auto& yard = spawner.board<Yard>();
    const Child neighbour = spawner.spawn(keep_secrets, spawner.board_address());
    const u32 rounds = 3 * context.effort;
    for (u32 i = 0; i < rounds * kWays; ++i) {
        yard.ready = 0;
        yard.way = i % kWays;
        const Ending ending = spawner.run(give_away, spawner.board_address());
        test.require(
            "fault", ending.ended && ending.reason == kFaulted, static_cast<u64>(ending.code));
        test.equal("address", ending.address, yard.address);
        test.equal("read", yard.seen, kOwn);
    }
    yard.stop = 1;
    test.equal("neighbour", Spawner::wait(neighbour).reason, kExited);
    Spawner::discard(neighbour);
}

/// Leaves its mark wherever a process can, and dies.
s32 leave_marks(u64 seed) {
    constexpr u64 kSize = 16 * kPage;
    const u32 object = vmm().MdlCreate(kSize, 0).value().mdl.handle;
    const u64 places[] = {allocate(kSize), vmm().MdlMap(object, 0, kSize, 0, kWritable).value().at};
    for (const u64 place : places) {
        for (u64 i = 0; place != 0 && i < kSize; i += 8) {
            at<volatile u64>(place + i) = kSecret ^ seed;
        }
    }
    volatile u64 frame[kPage / 8];
    for (volatile u64& word : frame) {
        word = kSecret ^ seed;
    }
    // As the sender of a long message that the kernel stages, and of one that it refuses.
    (void)tasks().Create("none", {&at<const char>(places[0]), 63}, "", 0, 0);
    __builtin_trap();
}

/// Looks at everything new that it can get; the first word that is not zero.
s32 look_everywhere(u64 board) {
    auto& found = at<volatile u64>(board);
    const auto scan = [&found](u64 place, u64 size) {
        for (u64 i = 0; i < size; i += 8) {
            if (const u64 word = at<volatile u64>(place + i); word != 0) {
                found = word;
            }
        }
    };
    constexpr u64 kSize = 24 * kPage;
    const u64 area = allocate(kSize);
    const u32 object = vmm().MdlCreate(kSize, 0).value().mdl.handle;
    const u64 view = vmm().MdlMap(object, 0, kSize, 0, kReadable).value().at;
    const u64 place = vmm().Allocate(0, kSize, kl::core::VMM::Reserve).value().at;
    const bool is_committed = vmm().Commit(place, kSize, kReadable).ok();
    if (area == 0 || view == 0 || !is_committed) {
        return 2;
    }
    scan(area, kSize);
    scan(view, kSize);
    scan(place, kSize);
    // Behind the end of a long answer, in rooms that are larger.
    sdk::Incoming incoming;
    const u64 head = area;
    const u64 tail = area + 4 * kPage;
    sdk::call(sdk::kKernelHandle,
              abi::Tag{abi::Tag::make_long(abi::Kind::Request,
                                           kl::core::Core::endpoint::task_Task,
                                           static_cast<u16>(kl::core::Task::Method::GetTasksList),
                                           0)
                           .value |
                       abi::Tag::kRoom},
              {},
              {.fixed = &at<u8>(head),
               .fixed_size = static_cast<u32>(4 * kPage),
               .arena = &at<u8>(tail),
               .arena_size = static_cast<u32>(16 * kPage)},
              incoming);
    const u64 arrived = (incoming.arena_size + 7) / 8 * 8;
    scan(head + (incoming.fixed_size + 7) / 8 * 8, 4 * kPage - (incoming.fixed_size + 7) / 8 * 8);
    scan(tail + arrived, 16 * kPage - arrived);
    return found == 0 ? 0 : 1;
}

void marks(Report& report, const Context& context) {
    Test test{report, "memory.nothing-of-the-dead-is-in-anything-new"};
    Spawner spawner{context};
    auto& found = spawner.board<u64>();
    const u32 lives = 20 * context.effort;
    for (u32 i = 0; i < lives; ++i) {
        test.equal("marks", spawner.run(leave_marks, i).reason, kFaulted);
        const Ending ending = spawner.run(look_everywhere, spawner.board_address());
        test.require("looked", ending.reason == kExited && ending.code == 0, found);
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    never_both(report);
    refused(report);
    part_of_object(report);
    zeroed(report);
    reserved(report);
    objects_of_memory(report);
    exact(report);
    between_processes(report, context);
    stale_everywhere(report, context);
    given_to_others(report, context);
    marks(report, context);
}

}  // namespace trial
