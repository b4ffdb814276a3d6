// SPDX-License-Identifier: Apache-2.0
// A component dies at random points under load, many times. The mayfly does everything at once: it
// calls ten servers, holds its clients' tokens, sends and receives large messages, maps memory
// objects, drives an interrupt line, waits at futexes, builds processes, starts threads and uses
// handles that are being revoked; then it is terminated, faults or exits. Its peers live on: they
// must see a documented code each time, and after each hundred deaths the system's accounts must be
// what they were before.
#include <kernel/base/mmio.hpp>
#include <runtime/log.hpp>
#include <runtime/thread.hpp>
#include <test/system/programs/support/canary.hpp>
#include <test/system/programs/support/floating.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Mayfly.endpoints.hpp>
#include <trial/Store.idl.hpp>

namespace trial {

namespace {

constexpr u32 kDeaths = 10;  // times the effort
constexpr u32 kBlock = 100;  // between two looks at the accounts
constexpr u32 kServers = 10;
constexpr u32 kHosts = kServers + 1;  // the last one takes large messages
constexpr u32 kAskers = 3;
constexpr u32 kWorkers = 6;  // threads of the mayfly besides its first
constexpr u64 kLongestLifeUs = 3000;
constexpr u32 kLargest = Store::MaxPlain;
constexpr u64 kSongPlace = Spawner::kBoardBytes - kPage;
constexpr u64 kMayflyMemory = u64{6} << 20;

/// What a peer saw. Each has one of its own, so nothing is shared.
struct Seen {
    volatile u32 good;
    volatile u32 cut;    // NotConnected of a client, StaleToken of a server
    volatile u32 late;   // Timeout of a call with a deadline
    volatile u32 wrong;  // anything else
    volatile s32 last_wrong;

    void note(Status status, Status when_cut, bool may_be_late) {
        if (status == Status::Ok) {
            good = good + 1;
        } else if (status == when_cut) {
            cut = cut + 1;
        } else if (status == Status::Timeout && may_be_late) {
            late = late + 1;
        } else {
            wrong = wrong + 1;
            last_wrong = static_cast<s32>(status);
        }
    }
};

enum class Fate : u32 { Terminated, Fault, Exit };

struct Board {
    u64 seed;
    volatile u32 stop;
    u32 to_mayfly[kAskers];  // the askers' channels
    u32 to_host[kHosts];     // the mayfly's
    u32 memory;              // the mayfly's, copies of what is being revoked
    u32 channel;
    u32 registers;  // of a device; 0: there is none
    u32 line;
    Fate fate;
    u64 death;  // CNTVCT
    volatile u64 interrupts;
    Seen askers[kAskers];
    Seen servers[kHosts];
    Seen workers[kWorkers];
};

u64 ticks_of_us(u64 microseconds) { return sdk::ticks_per_second() / 1'000'000 * microseconds; }

/// Random words of a thread that are the same in each run of a seed.
Random random_of(const Board& board, u64 who) { return Random{board.seed * 64 + who}; }

void spin(Random& random, u64 most_us) {
    const u64 end = sdk::now_ticks() + random.below(ticks_of_us(most_us));
    while (sdk::now_ticks() < end) {
    }
}

/// 0, or a time that is near or past.
u64 some_deadline(Random& random) {
    return random.below(2) == 0 ? 0 : sdk::now_ticks() + random.below(ticks_of_us(1000));
}

abi::Tag long_tag(u16 endpoint, u16 method, u64 more) {
    return abi::Tag{abi::Tag::make_short(abi::Kind::Request, endpoint, method, 0).value | more};
}

/// One random call of trial.Peer. `data` has room for the largest of them.
Status call_peer(Random& random, u32 handle, u64 data, u64 deadline) {
    constexpr u16 kEndpoint = Equal::endpoint::peer;
    static_assert(kEndpoint == Mayfly::endpoint::peer);
    sdk::Incoming incoming;
    switch (random.below(4)) {
    case 0: {
        const auto size = static_cast<u32>(random.below(8192) + 1);
        const abi::ArenaRange range{.offset = 0, .size = size};
        sdk::call(handle,
                  long_tag(kEndpoint,
                           static_cast<u16>(Peer::Method::Send),
                           abi::Tag::kLong | abi::Tag::kArena),
                  {.fixed = &range, .fixed_size = 8, .arena = &at<u8>(data), .arena_size = size},
                  {},
                  incoming,
                  deadline);
        return incoming.status;
    }
    case 1: {
        const auto parcel = vmm().MdlCreate(kPage, 0);
        const abi::HandleDescriptor descriptor{
            .handle = parcel.value().mdl.handle, .rights = abi::rights::kAll, .badge = 0};
        sdk::call(handle,
                  abi::Tag::make_long(
                      abi::Kind::Request, kEndpoint, static_cast<u16>(Peer::Method::Give), 1),
                  {.fixed = &descriptor, .fixed_size = sizeof(descriptor)},
                  {},
                  incoming,
                  deadline);
        (void)handles().Close(descriptor.handle);
        return incoming.status;
    }
    default:
        return ask(handle, random.next(), deadline).status;
    }
}

/// A large message to or from a server of trial.Store.
Status call_store(Random& random, u32 handle, u64 data, u64 deadline) {
    constexpr u16 endpoint = Mayfly::endpoint::store;
    sdk::Incoming incoming;
    const auto size = static_cast<u32>(random.below(kLargest >> random.below(8)) + 1);
    if (random.below(2) == 0) {
        const abi::ArenaRange range{.offset = 0, .size = size};
        sdk::call(handle,
                  long_tag(endpoint,
                           static_cast<u16>(Store::Method::Sum),
                           abi::Tag::kLong | abi::Tag::kArena),
                  {.fixed = &range, .fixed_size = 8, .arena = &at<u8>(data), .arena_size = size},
                  {},
                  incoming,
                  deadline);
    } else {
        const u64 words[] = {size, 1};
        abi::ArenaRange range{};
        sdk::call(handle,
                  long_tag(endpoint,
                           static_cast<u16>(Store::Method::Fill),
                           u64{2} << 36 | abi::Tag::kRoom),
                  {.fixed = words, .fixed_size = 16, .arena = nullptr, .arena_size = 0},
                  {.fixed = &range,
                   .fixed_size = sizeof(range),
                   .arena = &at<u8>(data),
                   .arena_size = kLargest},
                  incoming,
                  deadline);
    }
    return incoming.status;
}

/// Answers any request of trial.Peer and trial.Store, from `data` if the answer is large.
Status answer_any(const sdk::Incoming& request, const u64* fixed, u64 data) {
    const u16 endpoint = request.tag.endpoint();
    const u16 method = request.tag.method();
    if (endpoint == Mayfly::endpoint::store && method == static_cast<u16>(Store::Method::Fill)) {
        const abi::ArenaRange range{.offset = 0, .size = static_cast<u32>(request.words[0])};
        return sdk::reply(
            request.token,
            abi::Tag{abi::Tag::make_long(abi::Kind::Response, endpoint, method, 0).value |
                     abi::Tag::kArena},
            {.fixed = &range, .fixed_size = 8, .arena = &at<u8>(data), .arena_size = range.size});
    }
    if (request.tag.handle_count() == 1) {
        (void)handles().Close(static_cast<u32>(fixed[0]));
    }
    const u64 words[] = {request.words[0], 0};
    const u32 size = endpoint == Mayfly::endpoint::store ? 16 : 8;
    return sdk::reply(request.token,
                      abi::Tag::make_short(abi::Kind::Response, endpoint, method, size),
                      {.fixed = words, .fixed_size = size});
}

// The peers, which live on. Each gets the board's address and, in the bits below, its number.

/// Calls the mayfly, whatever life that is in.
s32 asker(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 self = argument & (kPage - 1);
    Random random = random_of(board, self);
    const u64 data = allocate(kLargest);
    while (board.stop == 0) {
        const u64 deadline = some_deadline(random);
        const u32 handle = board.to_mayfly[self];
        const Status status = random.below(3) == 0 ? call_store(random, handle, data, deadline)
                                                   : call_peer(random, handle, data, deadline);
        board.askers[self].note(status, Status::NotConnected, deadline != 0);
        if (status == Status::NotConnected) {
            (void)threads().Sleep(sdk::now_ticks() + ticks_of_us(200));
        }
    }
    return 0;
}

/// Serves the mayfly; keeps every other request for a while.
s32 host(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 self = argument & (kPage - 1);
    Random random = random_of(board, 16 + self);
    u64 fixed[16];
    const u64 size = self == kServers ? kLargest : 2 * kPage;
    const u64 data = allocate(size);
    sdk::Incoming kept;
    while (true) {
        sdk::Incoming request;
        sdk::receive(kListener,
                     1,
                     {.fixed = fixed,
                      .fixed_size = sizeof(fixed),
                      .arena = &at<u8>(data),
                      .arena_size = static_cast<u32>(size)},
                     request,
                     sdk::now_ticks() + ticks_of_us(500));
        if (kept.token != 0) {
            board.servers[self].note(answer(kept.token, 1), Status::StaleToken, false);
            kept.token = 0;
        }
        if (request.status == Status::Timeout) {
            continue;
        }
        if (request.status != Status::Ok) {
            board.servers[self].note(request.status, Status::StaleToken, false);
            return 1;
        }
        if (random.below(3) == 0 && request.tag.endpoint() == Equal::endpoint::peer &&
            request.tag.method() == static_cast<u16>(Peer::Method::Ask)) {
            kept = request;
            continue;
        }
        spin(random, 30);
        board.servers[self].note(answer_any(request, fixed, data), Status::StaleToken, false);
    }
}

// The mayfly. Its workers do not return; what they hold when they die is the point.

struct Worker {
    Board* board;
    u64 number;
    Random random;
    u64 data;  // address of kLargest bytes that all workers share
    Seen* seen;
};

/// Calls ten servers at once, with the other workers that do the same.
void call_hosts(Worker& self) {
    const u64 deadline = some_deadline(self.random);
    const u32 handle = self.board->to_host[self.random.below(kServers)];
    self.seen->note(call_peer(self.random, handle, self.data, deadline),
                    Status::Ok,
                    true);  // its client may be in a hurry
}

void move_much(Worker& self) {
    const u64 deadline = some_deadline(self.random);
    self.seen->note(call_store(self.random, self.board->to_host[kServers], self.data, deadline),
                    Status::Ok,
                    true);  // its client may be in a hurry
}

/// Takes up to three requests, answers some of them, forgets the others; interrupts and events
/// come here as well.
void serve_some(Worker& self) {
    u64 fixed[16];
    for (u32 i = 0; i < 3; ++i) {
        sdk::Incoming request;
        sdk::receive(kListener,
                     1,
                     {.fixed = fixed,
                      .fixed_size = sizeof(fixed),
                      .arena = &at<u8>(self.data),
                      .arena_size = kLargest},
                     request,
                     sdk::now_ticks() + ticks_of_us(300));
        if (request.status != Status::Ok) {
            continue;
        }
        if (request.tag.endpoint() >= abi::kIrqEndpoint) {
            self.board->interrupts = self.board->interrupts + 1;
            spin(self.random, 20);
            (void)sdk::reply(
                request.token,
                abi::Tag::make_short(abi::Kind::Response, request.tag.endpoint(), 0, 0),
                {});
            continue;
        }
        spin(self.random, 50);
        if (self.random.below(8) != 0) {
            self.seen->note(answer_any(request, fixed, self.data), Status::StaleToken, false);
        }
    }
}

void map_objects(Worker& self) {
    const u64 pages = self.random.below(24) + 1;
    const auto made = vmm().MdlCreate(pages * kPage, 0);
    const u32 memory = made.value().mdl.handle;
    const u64 one = vmm().MdlMap(memory, 0, pages * kPage, 0, kWritable).value().at;
    const u64 two = vmm().MdlMap(memory, 0, kPage, 0, kReadable).value().at;
    (void)handles().Close(memory);
    if (one != 0) {
        at<volatile u64>(one) = self.number;
        (void)vmm().Protect(one, kPage, kReadable);
        (void)vmm().Free(one, pages * kPage);
    }
    if (two != 0) {
        (void)vmm().Free(two, kPage);
    }
    const u64 plain = allocate(self.random.below(64) * kPage);
    if (plain != 0 && self.random.below(4) != 0) {
        (void)vmm().Free(plain, kPage);
    }
}

/// Waits that are ended by another worker, by time, or by death only.
void wait_at_futex(Worker& self) {
    static constinit u32 words[2]{};
    const u64 word = address_of(&words[self.random.below(2)]);
    static constinit u64 vectors[kWorkers][kVectorWords]{};
    trial_hold_vectors(vectors[self.number], 50);
    if (self.random.below(3) == 0) {
        (void)sync().Wake(word, 1);
    } else {
        (void)sync().Wait(word, 0, sdk::now_ticks() + self.random.below(ticks_of_us(1000)));
    }
}

void build_process(Worker& self) {
    const auto made = tasks().Create("nestling", "trial.Equal", "", 256 << 10, 50);
    if (!made.ok()) {
        return;
    }
    const u32 task = made.value().task.handle;
    (void)handles().CreateListener(task);
    const auto memory = vmm().MdlCreate(8 * kPage, 0);
    (void)tasks().LoadSeg(task, memory.value().mdl.handle, 0, 0x10'0000, 8 * kPage, kWritable);
    (void)handles().Close(memory.value().mdl.handle);
    (void)handles().Connect(task, task);
    (void)notices().SubscribeToObject(kListener, task, kl::core::Notice::TaskEnded, 7);
    (void)tasks().SetEntry(task, 0x10'0000, 0x10'0000, 0);
    if (self.random.below(2) == 0) {
        (void)tasks().Resume(task);  // an entry that is not executable: it faults
    }
    (void)tasks().Terminate(task);
    (void)handles().Close(task);
}

/// Threads that end by themselves, by force, or with everybody.
void start_threads(Worker& self) {
    const u64 stack = allocate(2 * kPage);
    if (stack == 0) {
        return;
    }
    const auto thread = threads().Create(__builtin_bit_cast(
                                             u64,
                                             +[](u64 end) {
                                                 (void)threads().Sleep(end);
                                                 (void)threads().Exit(0);
                                             }),
                                         stack + 2 * kPage,
                                         sdk::now_ticks() + self.random.below(ticks_of_us(500)),
                                         0,
                                         100);
    if (!thread.ok()) {
        (void)vmm().Free(stack, 2 * kPage);
        return;
    }
    if (self.random.below(2) == 0) {
        (void)threads().Terminate(thread.value().thread.handle);
    }
    (void)handles().Close(thread.value().thread.handle);
}

/// A tree of copies below handles that the parent revokes at some time.
void use_revoked(Worker& self) {
    u32 last = self.board->memory;
    for (u32 i = 0; i < 6; ++i) {
        const auto copy = handles().Copy(last, abi::rights::kAll, 0);
        last = copy.ok() ? copy.value().copy : self.board->memory;
        (void)vmm().MdlMap(last, 0, kPage, 0, kReadable);
        if (self.random.below(4) == 0) {
            (void)handles().Revoke(self.board->memory);
        }
    }
    const u64 deadline = some_deadline(self.random);
    self.seen->note(call_peer(self.random, self.board->channel, self.data, deadline),
                    Status::BadHandle,
                    deadline != 0);
}

// [PL031] "Data register", "Match register", "Interrupt mask set or clear", "Interrupt clear": the
// clock of `virt` asks when its count of seconds is what the match register says.
constexpr u64 kClockAddress = 0x901'0000;
constexpr u32 kClockLine = 34;
constexpr u64 kSeconds = 0x00;
constexpr u64 kMatch = 0x04;
constexpr u64 kMask = 0x10;
constexpr u64 kClear = 0x1C;

void drive_device(Worker& self) {
    if (self.board->line == 0) {
        return;
    }
    const u64 base = io().MapMem(self.board->registers, 0).value().at;
    if (base == 0) {
        return;
    }
    const base::Mmio clock{base};
    (void)io().AttachIrq(self.board->line, kListener, 9);
    (void)io().EnableIrq(self.board->line);
    clock.write32(kMask, 1);
    clock.write32(kMatch, clock.read32(kSeconds));
    serve_some(self);
    clock.write32(kClear, 1);
    if (self.random.below(2) == 0) {
        (void)io().DetachIrq(self.board->line);
    }
    (void)vmm().Free(base, kPage);
}

void work(void* argument) {
    auto& self = *static_cast<Worker*>(argument);
    constexpr void (*kRoles[])(Worker&) = {call_hosts,
                                           serve_some,
                                           move_much,
                                           map_objects,
                                           drive_device,
                                           call_hosts,
                                           wait_at_futex,
                                           use_revoked,
                                           start_threads,
                                           drive_device,
                                           build_process};
    constexpr u64 kCount = sizeof(kRoles) / sizeof(kRoles[0]);
    u64 role = self.number + self.random.below(kCount);
    while (true) {
        kRoles[role % kCount](self);
        role += self.random.below(4) == 0 ? 1 : 0;
    }
}

s32 mayfly(u64 address) {
    auto& board = at<Board>(address);
    static constinit Worker workers[kWorkers] = {{nullptr, 0, Random{0}, 0, nullptr},
                                                 {nullptr, 0, Random{0}, 0, nullptr},
                                                 {nullptr, 0, Random{0}, 0, nullptr},
                                                 {nullptr, 0, Random{0}, 0, nullptr},
                                                 {nullptr, 0, Random{0}, 0, nullptr},
                                                 {nullptr, 0, Random{0}, 0, nullptr}};
    const u64 data = allocate(kLargest);
    for (u32 i = 0; i < kWorkers; ++i) {
        workers[i] = {&board, i, random_of(board, 32 + i), data, &board.workers[i]};
        (void)sdk::start_thread(&work, &workers[i], {.stack_bytes = 6 * kPage, .priority = 100});
    }
    (void)threads().Sleep(board.fate == Fate::Terminated ? ~u64{0} : board.death);
    if (board.fate == Fate::Fault) {
        at<volatile u32>(8) = 1;
    }
    return 7;
}

// The parent.

/// What must be the same after each hundred deaths.
struct Accounts {
    Holdings holdings;
    u64 processes = 0;
    u64 threads = 0;
    u64 handles = 0;
    u64 pages = 0;

    friend bool operator==(const Accounts&, const Accounts&) = default;
};

Accounts accounts() {
    Accounts sum{.holdings = holdings()};
    auto kernel = tasks();
    const auto list = kernel.GetTasksList();
    for (const auto& task : list.value().tasks) {
        ++sum.processes;
        sum.threads += task.threads;
        sum.handles += task.handles;
        sum.pages += task.pagesUsed;
    }
    return sum;
}

Accounts settled_accounts(const Accounts& wanted) {
    Accounts now = accounts();
    for (u32 i = 0; i < 400 && now != wanted; ++i) {
        sdk::sleep_ms(5);
        now = accounts();
    }
    return now;
}

/// Whether all of the mayfly is gone but its shell, which its parent's handle keeps.
bool is_taken_apart() {
    auto kernel = tasks();
    const auto list = kernel.GetTasksList();
    for (const auto& task : list.value().tasks) {
        const void* const name = &task.name;
        if (std::string_view{static_cast<const char*>(name)} == "mayfly") {
            return task.pagesUsed == 0;
        }
    }
    return false;
}

struct Totals {
    u32 deaths[3]{};
    u32 misfits = 0;           // lives that could not be made or ended otherwise than they were to
    u32 never_over = 0;        // not taken apart in ten seconds
    u64 longest_teardown = 0;  // ticks
};

class Swarm final {
public:
    Swarm(const Context& context, Spawner& spawner)
        : spawner_(spawner), board_(spawner.board<Board>()),
          canary_(spawner, kSongPlace, connection(context, "server")) {
        for (u32 i = 0; i < kHosts; ++i) {
            sdk::Line<20> name;
            name.text("host-").decimal(i);
            const bool is_large = i == kServers;
            hosts_[i] = spawner.spawn(host,
                                      spawner.board_address() + i,
                                      {.eclass = is_large ? "trial.Mayfly" : "trial.Equal",
                                       .memory = is_large ? u64{2} << 20 : u64{512} << 10,
                                       .serves = true,
                                       .name = name.view()});
        }
        memory_ = vmm().MdlCreate(kPage, 0).value().mdl.handle;
        registers_ = io().RegisterMmio(kClockAddress, kPage).value().resource.handle;
        line_ = io().RegisterIrq(kClockLine, 0).value().resource.handle;
        channel_ = handles().Connect(0, hosts_[0].task).value().channel;
    }

    ~Swarm() {
        (void)handles().Close(memory_);
        (void)handles().Close(channel_);
        (void)handles().Close(registers_);
        (void)handles().Close(line_);
    }

    Swarm(const Swarm&) = delete;
    Swarm& operator=(const Swarm&) = delete;

    void live_and_die(u64 seed, Totals& totals);
    /// Ends the canary, and the peers. False: one of them hangs, or a server serves no more.
    bool disperse(Test& song);

private:
    void equip(const Child& child);

    Spawner& spawner_;
    Board& board_;
    Child hosts_[kHosts];
    Child askers_[kAskers];
    Canary canary_;
    u32 memory_ = 0;
    u32 channel_ = 0;
    u32 registers_ = 0;  // 0 on a board without this device
    u32 line_ = 0;
};

void Swarm::equip(const Child& child) {
    for (u32 i = 0; i < kHosts; ++i) {
        board_.to_host[i] = Spawner::connect(child, hosts_[i]);
    }
    board_.memory = Spawner::give(child, memory_);
    board_.channel = Spawner::give(child, channel_);
    board_.registers = registers_ == 0 ? 0 : Spawner::give(child, registers_);
    board_.line = line_ == 0 ? 0 : Spawner::give(child, line_);
    for (u32 i = 0; i < kAskers; ++i) {
        if (askers_[i].task == 0) {
            askers_[i] = spawner_.build(asker, spawner_.board_address() + i, {.memory = 3u << 20});
            board_.to_mayfly[i] = Spawner::connect(askers_[i], child);
            (void)spawner_.start(askers_[i]);
        }
    }
}

void Swarm::live_and_die(u64 seed, Totals& totals) {
    Random random{seed};
    board_.seed = seed;
    board_.fate = static_cast<Fate>(random.below(4) < 2 ? 0 : random.below(2) + 1);
    const Child child = spawner_.build(
        mayfly,
        spawner_.board_address(),
        {.eclass = "trial.Mayfly", .memory = kMayflyMemory, .serves = true, .name = "mayfly"});
    if (child.task == 0) {
        ++totals.misfits;
        return;
    }
    equip(child);
    const u64 birth = sdk::now_ticks();
    const u64 life = random.below(ticks_of_us(kLongestLifeUs));
    board_.death = birth + life;
    (void)spawner_.start(child);
    (void)threads().Sleep(birth + random.below(life + 1));
    (void)handles().Revoke(memory_);
    (void)handles().Revoke(channel_);
    (void)threads().Sleep(board_.death);
    u64 end = sdk::now_ticks();
    Ending ending;
    if (board_.fate == Fate::Terminated) {
        (void)tasks().Terminate(child.task);
        ending = Spawner::wait(child);
    } else {
        ending = Spawner::wait(child);
        end = sdk::now_ticks();
    }
    constexpr u32 kReasons[] = {kTerminated, kFaulted, kExited};
    const bool fits = ending.ended && ending.reason == kReasons[static_cast<u32>(board_.fate)];
    totals.misfits += fits ? 0 : 1;
    ++totals.deaths[static_cast<u32>(board_.fate)];
    bool is_over = false;
    const u64 limit = end + sdk::ticks_of_ms(10'000);
    while (!is_over && sdk::now_ticks() < limit) {
        is_over = is_taken_apart();
    }
    const u64 teardown = sdk::now_ticks() - end;
    totals.never_over += is_over ? 0 : 1;
    totals.longest_teardown =
        teardown > totals.longest_teardown ? teardown : totals.longest_teardown;
    Spawner::discard(child);
}

bool Swarm::disperse(Test& song) {
    board_.stop = 1;
    canary_.judge(song, "containment");
    bool all_well = true;
    for (const Child& child : askers_) {
        all_well = all_well && (child.task == 0 || Spawner::wait(child).reason == kExited);
        Spawner::discard(child);
    }
    for (const Child& child : hosts_) {
        const u32 channel = handles().Connect(0, child.task).value().channel;
        all_well = all_well &&
                   ask(channel, 1, sdk::now_ticks() + sdk::ticks_of_ms(5000)).status == Status::Ok;
        (void)handles().Close(channel);
        Spawner::discard(child);
    }
    return all_well;
}

Seen sum_of(const Seen* seen, u32 count) {
    Seen sum{};
    for (u32 i = 0; i < count; ++i) {
        sum.good = sum.good + seen[i].good;
        sum.cut = sum.cut + seen[i].cut;
        sum.late = sum.late + seen[i].late;
        sum.wrong = sum.wrong + seen[i].wrong;
        sum.last_wrong = seen[i].wrong != 0 ? seen[i].last_wrong : sum.last_wrong;
    }
    return sum;
}

void judge(Test& test, std::string_view who, const Seen& seen, bool is_long) {
    test.require(who, seen.wrong == 0, static_cast<u64>(s64{seen.last_wrong}));
    if (is_long) {
        test.require("some went well", seen.good > 0);
        test.require("some were cut", seen.cut > 0);
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 deaths = kDeaths * context.effort;
    const bool is_long = deaths >= 5 * kBlock;
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    Totals totals;
    sdk::Line<60> name;
    name.text("containment.").decimal(deaths).text("-deaths");
    Test all{report, name.view()};
    Test exact{report, "containment.accounts-are-exact-after-each-hundred"};
    Test undisturbed{report, "containment.canary-undisturbed"};
    Accounts before;
    // The first block is for what stays for good: the names of servers.
    for (u32 done = 0, block = 0; done < deaths + kBlock / 10; ++block) {
        const u32 end = block == 0                             ? kBlock / 10
                        : done + kBlock < deaths + kBlock / 10 ? done + kBlock
                                                               : deaths + kBlock / 10;
        board.stop = 0;
        {
            Swarm swarm{context, spawner};
            for (; done < end; ++done) {
                swarm.live_and_die(context.seed + done, totals);
            }
            all.require("the peers are well", swarm.disperse(undisturbed), done);
        }
        if (block == 0) {
            sdk::sleep_ms(50);
            (void)settled_holdings();
            before = accounts();
            continue;
        }
        const Accounts now = settled_accounts(before);
        exact.equal("free frames", now.holdings.frames, before.holdings.frames);
        exact.equal("objects", now.holdings.objects, before.holdings.objects);
        exact.equal("processes", now.processes, before.processes);
        exact.equal("threads", now.threads, before.threads);
        exact.equal("handles", now.handles, before.handles);
        exact.equal("pages charged", now.pages, before.pages);
    }
    all.equal("lives that went another way", totals.misfits, 0);
    all.equal("not taken apart", totals.never_over, 0);
    const Seen askers = sum_of(board.askers, kAskers);
    const Seen servers = sum_of(board.servers, kHosts);
    const Seen workers = sum_of(board.workers, kWorkers);
    const u64 a_second = sdk::ticks_per_second();
    sdk::LogLine{"containment", "deaths"}
        .field("terminated", totals.deaths[0])
        .field("faults", totals.deaths[1])
        .field("exits", totals.deaths[2])
        .field("longest-teardown-us", totals.longest_teardown * 1'000'000 / a_second);
    sdk::LogLine{"containment", "peers"}
        .field("calls", askers.good)
        .field("calls-cut", askers.cut)
        .field("late", askers.late)
        .field("answers", servers.good)
        .field("tokens-stale", servers.cut)
        .field("interrupts", board.interrupts);
    {
        Test test{report, "containment.peers-see-the-documented-code"};
        judge(test, "clients of the dead", askers, is_long);
        judge(test, "servers of the dead", servers, is_long);
        judge(test, "the dying themselves", workers, is_long);
        test.require("interrupts", board.registers == 0 || !is_long || board.interrupts > 0);
    }
}

}  // namespace trial
