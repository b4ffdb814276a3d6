// SPDX-License-Identifier: Apache-2.0
// The table by itself, then what copies and revocation make of it across processes.
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/object/handle_table.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.idl.hpp>
#include <random>
#include <set>
#include <vector>

using namespace kernel_test;
using kernel::HandleTable;
using kernel::kDenyRow;
using kernel::kNoSlot;
using kernel::SlotType;
namespace rights = abi::rights;
namespace handles = kl::core::Handle;
namespace endpoint = kl::core::Core::endpoint;

namespace {

constexpr u32 kCapacity = 8;

struct Table {
    std::vector<Slot> slots{kCapacity};
    HandleTable table;
    int object = 0;

    Table() { table.initialize(slots.data(), kCapacity); }

    u32 insert(SlotType type = SlotType::Memory, const ksec::Row* row = nullptr) {
        Slot content{};
        content.type = type;
        content.object = &object;
        content.rights = rights::kAll;
        content.row = row;
        return table.insert(content).value();
    }

    void erase(u32 handle) { table.erase(*table.find(handle)); }
};

/// A client with one channel that it may do everything with, and two others to derive for.
struct Family {
    Kernel kernel;
    Thread& owner = (add_core_methods(kernel.policy), kernel.add_process("owner", kClientClass));
    Process& mine = *owner.process;
    Process& server = *kernel.add_process("server", kServerClass).process;
    Process& other = *kernel.add_process("other", kClientClass).process;
    u32 root = 0;

    Family() {
        kernel.add_listener(server);
        root = kernel.add_channel(mine, server);
        mine.handles.find(root)->rights = rights::kAll;
    }

    static u32 derive(Process& from, u32 handle, Process& to, u32 wanted = rights::kAll) {
        return kernel::ipc::copy_slot(from, *from.handles.find(handle), to, wanted).value();
    }

    Status copy(u32 handle, u32 wanted, u32& made) {
        handles::Copy_Request request{};
        request.source.handle = handle;
        request.source.rights = rights::kAll;
        request.rights = wanted;
        const auto answer = kernel.call_core<handles::Copy_Request, handles::Copy_Response>(
            owner, endpoint::handle_Handle, static_cast<u16>(handles::Method::Copy), request);
        made = answer.copy;
        return static_cast<Status>(answer.rc);
    }

    Status revoke(u32 handle) {
        handles::Revoke_Request request{};
        request.target = handle;
        const auto answer = kernel.call_core<handles::Revoke_Request, handles::Revoke_Response>(
            owner, endpoint::handle_Handle, static_cast<u16>(handles::Method::Revoke), request);
        return static_cast<Status>(answer.rc);
    }
};

}  // namespace

TEST_CASE("an empty table finds nothing", "[kernel][object]") {
    const Table one;
    for (u32 handle = 0; handle < 4 * kCapacity; ++handle) {
        CHECK(one.table.find(handle) == nullptr);
    }
    CHECK(one.table.find(0xFFFF'FFFF) == nullptr);
    CHECK(one.table.free() == kCapacity);
}

TEST_CASE("a closed handle is stale though its slot is used again", "[kernel][object]") {
    Table one;
    const u32 first = one.insert();
    one.erase(first);
    CHECK(one.table.find(first) == nullptr);
    const u32 second = one.insert();
    CHECK(second % kCapacity == first % kCapacity);
    CHECK(second != first);
    CHECK(one.table.find(first) == nullptr);
    CHECK(one.table.find(second) != nullptr);
}

TEST_CASE("only the exact generation and index name a slot", "[kernel][object]") {
    Table one;
    const u32 handle = one.insert();
    for (u32 bit = 0; bit < 32; ++bit) {
        CHECK(one.table.find(handle ^ (1u << bit)) == nullptr);
    }
    // An index beyond the table is masked onto this very slot, and is refused by the compare.
    CHECK(&one.table.at(handle + kCapacity) == one.table.find(handle));
    CHECK(one.table.find(handle + kCapacity) == nullptr);
}

TEST_CASE("a slot whose generations are used up is retired", "[kernel][object]") {
    Table one;
    std::set<u32> seen;
    const u32 first = one.insert();
    const u32 index = first % kCapacity;
    u32 handle = first;
    do {
        CHECK(seen.insert(handle).second);
        one.erase(handle);
        handle = one.insert();
    } while (handle % kCapacity == index);
    CHECK(seen.size() == 0xFFFF);
    CHECK(one.table.find(first) == nullptr);
    CHECK(one.table.find(index) == nullptr);
    CHECK(one.table.used() == 1);
    CHECK(one.table.free() == kCapacity - 2);
    while (one.table.free() > 0) {
        CHECK(one.insert() % kCapacity != index);
    }
    CHECK(one.table.insert(Slot{}).status() == Status::OutOfMemory);
}

TEST_CASE("a full table refuses and goes on when there is room", "[kernel][object]") {
    Table one;
    u32 last = 0;
    for (u32 i = 0; i < kCapacity; ++i) {
        last = one.insert();
    }
    CHECK(one.table.insert(Slot{}).status() == Status::OutOfMemory);
    CHECK(one.table.used() == kCapacity);
    one.erase(last);
    CHECK(one.table.insert(Slot{}).ok());
}

TEST_CASE("only a callable channel has a row that may grant", "[kernel][object]") {
    Table one;
    const ksec::Row row{};
    CHECK(one.table.at(0).row == kDenyRow);
    const u32 channel = one.insert(SlotType::Client, &row);
    CHECK(one.table.find(channel)->row == &row);
    CHECK(one.table.find(one.insert(SlotType::Client))->row == kDenyRow);
    CHECK(one.table.find(one.insert(SlotType::Memory, &row))->row == kDenyRow);
    Slot content{};
    content.type = SlotType::Client;
    content.row = &row;
    content.rights = rights::kAll & ~rights::kCall;
    CHECK(one.table.find(one.table.insert(content).value())->row == kDenyRow);
    Slot& slot = *one.table.find(channel);
    one.table.erase(slot);
    CHECK(slot.row == kDenyRow);
    CHECK(slot.object == nullptr);
}

TEST_CASE("a copy has no right that its source lacks", "[kernel][object]") {
    Family family;
    u32 weaker = 0;
    constexpr u32 kSome = rights::kCall | rights::kCopy;
    REQUIRE(family.copy(family.root, kSome, weaker) == Status::Ok);
    CHECK(family.mine.handles.find(weaker)->rights == kSome);
    u32 again = 0;
    REQUIRE(family.copy(weaker, rights::kAll, again) == Status::Ok);
    CHECK(family.mine.handles.find(again)->rights == kSome);
    u32 last = 0;
    REQUIRE(family.copy(again, rights::kCall, last) == Status::Ok);
    u32 none = 0;
    CHECK(family.copy(last, rights::kAll, none) == Status::NoCapability);
    CHECK(none == 0);
}

TEST_CASE("a copy without the right to call has the row that denies", "[kernel][object]") {
    Family family;
    u32 mute = 0;
    REQUIRE(family.copy(family.root, rights::kAll & ~rights::kCall, mute) == Status::Ok);
    CHECK(family.mine.handles.find(mute)->row == kDenyRow);
}

TEST_CASE("revoking closes what was derived, in all processes, and nothing else",
          "[kernel][object]") {
    Family family;
    const u32 stranger = family.kernel.add_channel(family.other, family.server);
    const u32 child = Family::derive(family.mine, family.root, family.other);
    const u32 grandchild = Family::derive(family.other, child, family.mine);
    const u32 sibling = Family::derive(family.mine, family.root, family.mine);
    const u32 references = family.server.port->references;
    CHECK(family.revoke(family.root) == Status::Ok);
    CHECK(family.other.handles.find(child) == nullptr);
    CHECK(family.mine.handles.find(grandchild) == nullptr);
    CHECK(family.mine.handles.find(sibling) == nullptr);
    CHECK(family.other.handles.find(stranger) != nullptr);
    REQUIRE(family.mine.handles.find(family.root) != nullptr);
    CHECK(family.mine.handles.find(family.root)->first_child == kNoSlot);
    CHECK(family.server.port->references == references - 3);
    CHECK(family.revoke(family.root) == Status::Ok);
}

TEST_CASE("revoking a branch leaves its root and the other branches", "[kernel][object]") {
    Family family;
    const u32 branch = Family::derive(family.mine, family.root, family.mine);
    const u32 leaf = Family::derive(family.mine, branch, family.other);
    const u32 other = Family::derive(family.mine, family.root, family.other);
    CHECK(family.revoke(branch) == Status::Ok);
    CHECK(family.other.handles.find(leaf) == nullptr);
    CHECK(family.mine.handles.find(branch) != nullptr);
    CHECK(family.other.handles.find(other) != nullptr);
    CHECK(family.revoke(family.root) == Status::Ok);
    CHECK(family.mine.handles.find(branch) == nullptr);
    CHECK(family.other.handles.find(other) == nullptr);
}

TEST_CASE("what hangs below a closed handle still falls with its ancestor", "[kernel][object]") {
    Family family;
    const u32 middle = Family::derive(family.mine, family.root, family.mine);
    const u32 left = Family::derive(family.mine, middle, family.other);
    const u32 right = Family::derive(family.mine, middle, family.other);
    kernel::close_slot(family.mine, *family.mine.handles.find(middle));
    CHECK(family.other.handles.find(left) != nullptr);
    CHECK(family.other.handles.find(right) != nullptr);
    CHECK(family.revoke(family.root) == Status::Ok);
    CHECK(family.other.handles.find(left) == nullptr);
    CHECK(family.other.handles.find(right) == nullptr);
}

TEST_CASE("revoking more than a step's worth finishes", "[kernel][object]") {
    Family family;
    const u32 used = family.other.handles.used();
    u32 last = Family::derive(family.mine, family.root, family.other);
    for (u32 i = 0; i < 40; ++i) {  // many steps
        last = Family::derive(family.other, last, family.other);
    }
    CHECK(family.revoke(family.root) == Status::Ok);
    CHECK(family.other.handles.used() == used);
}

TEST_CASE("without the right to revoke nothing is closed", "[kernel][object]") {
    Family family;
    const u32 child = Family::derive(family.mine, family.root, family.other);
    family.mine.handles.find(family.root)->rights &= ~rights::kRevoke;
    CHECK(family.revoke(family.root) == Status::NoCapability);
    CHECK(family.other.handles.find(child) != nullptr);
    CHECK(family.revoke(family.root ^ 0x10000) == Status::BadHandle);
}

namespace {

/// What the kernel's tree of handles must be, kept apart from it.
struct Expected {
    Process* process;
    u32 handle;
    u32 rights;
    std::size_t parent;
    bool is_open;
};

constexpr std::size_t kNobody = ~std::size_t{0};

/// Copies, closes and revokes handles at random, in three processes.
class Walk final {
public:
    explicit Walk(u32 seed) : random_(seed) {
        nodes_.push_back({&family_.mine, family_.root, rights::kAll, kNobody, true});
    }

    void step() {
        const std::size_t at = random_() % nodes_.size();
        if (!nodes_[at].is_open) {
            return;
        }
        if (const u32 act = random_() % 16; act < 12) {
            copy(at);
        } else if (act < 15) {
            close(at);
        } else {
            revoke(at);
        }
    }

    void check() const {
        for (const Expected& node : nodes_) {
            const kernel::Slot* slot = node.process->handles.find(node.handle);
            REQUIRE((slot != nullptr) == node.is_open);
            if (node.is_open) {
                REQUIRE(slot->rights == node.rights);
            }
        }
    }

    [[nodiscard]] std::size_t most_open() const { return most_open_; }

private:
    void copy(std::size_t at) {
        Process* const targets[] = {&family_.mine, &family_.server, &family_.other};
        Process& target = *targets[random_() % 3];
        if (target.handles.free() < 8) {
            return;
        }
        const auto wanted = static_cast<u32>(random_() | random_());
        const Expected from = nodes_[at];
        const u32 handle = Family::derive(*from.process, from.handle, target, wanted);
        nodes_.push_back({&target, handle, from.rights & wanted, at, true});
        ++open_;
        most_open_ = open_ > most_open_ ? open_ : most_open_;
    }

    void close(std::size_t at) {
        if (at == 0) {
            return;
        }
        Expected& gone = nodes_[at];
        while (!kernel::close_slot(*gone.process, *gone.process->handles.find(gone.handle))) {
        }
        gone.is_open = false;
        --open_;
        for (Expected& node : nodes_) {
            node.parent = node.parent == at ? gone.parent : node.parent;
        }
    }

    void revoke(std::size_t at) {
        Expected& top = nodes_[at];
        if (top.process != &family_.mine || (top.rights & rights::kRevoke) == 0) {
            return;
        }
        REQUIRE(family_.revoke(top.handle) == Status::Ok);
        for (std::size_t i = at + 1; i < nodes_.size();
             ++i) {  // children come behind their parents
            Expected& node = nodes_[i];
            const bool is_below =
                node.parent == at || (node.parent != kNobody && is_marked(node.parent));
            if (node.is_open && is_below) {
                node.is_open = false;
                marked_.insert(i);
                --open_;
            }
        }
        marked_.clear();
    }

    [[nodiscard]] bool is_marked(std::size_t at) const { return marked_.contains(at); }

    Family family_;
    std::mt19937 random_;
    std::vector<Expected> nodes_;
    std::set<std::size_t> marked_;
    std::size_t open_ = 1;
    std::size_t most_open_ = 1;
};

}  // namespace

TEST_CASE("whatever is copied, closed and revoked, rights shrink and revoked handles are gone",
          "[kernel][object]") {
    for (u32 seed = 1; seed <= 4; ++seed) {
        INFO("seed " << seed);
        Walk walk{seed};
        for (u32 i = 0; i < 600; ++i) {
            walk.step();
            walk.check();
        }
        CHECK(walk.most_open() > 30);
    }
}
