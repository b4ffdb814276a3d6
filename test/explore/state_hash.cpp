// SPDX-License-Identifier: Apache-2.0
// Which state it is: everything that decides what can happen next, without what only counts up.
// Tokens are told by whether they are current, deadlines and the clock by their order, objects by
// their place. Two states with the same hash are taken for the same.
#include "messages.hpp"

#include <algorithm>
#include <kernel/irq/lines.hpp>

namespace explore {

using mock::machine;

namespace {

/// [splitmix64] as a running mix.
class Mixer final {
public:
    void add(u64 value) {
        u64 z = (state_ ^ value) + 0x9E37'79B9'7F4A'7C15;
        z = (z ^ z >> 30) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ z >> 27) * 0x94D0'49BB'1331'11EB;
        state_ = z ^ z >> 31;
    }

    template <typename... Values> void add_all(Values... values) {
        (add(static_cast<u64>(values)), ...);
    }

    [[nodiscard]] u64 value() const { return state_; }

private:
    u64 state_ = 0;
};

}  // namespace

/// Walks the state as if threads and CPUs had other names.
class World::Hasher final {
public:
    Hasher(const World& world, const std::vector<u8>& threads, bool swaps_cpus)
        : world_(world), threads_(threads), swaps_cpus_(swaps_cpus) {}

    u64 hash() {
        for (u32 i = 0; i < world_.scenario_.cpus; ++i) {
            add_cpu(swaps_cpus_ ? world_.scenario_.cpus - 1 - i : i);
        }
        for (const u8 thread : threads_) {
            add_thread(thread);
            add_ghost(world_.now_.ghosts[thread]);
        }
        for (u32 i = 0; i < kProcesses; ++i) {
            add_process(i);
        }
        add_endpoints();
        add_lines();
        const Limits& left = world_.now_.left;
        mixer_.add_all(left.ends, left.revokes, left.changes, left.timeouts, left.raises);
        mixer_.add_all(left.moves, left.slices, world_.now_.is_denying);
        mixer_.add_all(world_.now_.is_revoked[0], world_.now_.is_revoked[1]);
        mixer_.add_all(world_.now_.is_set[0], world_.now_.is_set[1]);
        mixer_.add_all(kernel::objects().has_remains,
                       kernel::scheduler().ended_threads.count(),
                       deadline(kernel::scheduler().reaping));
        return mixer_.value();
    }

private:
    [[nodiscard]] u64 name_of(const Thread* thread) const {
        const u32 number = world_.number_of(thread);
        for (u32 i = 0; i < threads_.size(); ++i) {
            if (threads_[i] == number) {
                return i + 1;
            }
        }
        return thread == nullptr ? 0 : 99;
    }

    [[nodiscard]] u64 name_of(u8 number) const {
        return number < threads_.size() ? name_of(world_.threads_[number]) : number;
    }

    /// Whose call, and how many calls ago.
    [[nodiscard]] u64 token(u64 token) const {
        if (token == 0 || is_notice(token)) {
            const kernel::Notice* notice = token == 0 ? nullptr : kernel::notice_of(token);
            return token == 0 ? 0 : notice == nullptr ? 1 : 2;
        }
        for (u32 i = 0; i < world_.thread_count_; ++i) {
            const Thread& thread = *world_.threads_[i];
            if ((token & 0xFFFF) == (thread.token & 0xFFFF)) {
                const u64 age = (thread.token - token) >> 16;
                return 16 * name_of(&thread) + std::min<u64>(age, 2) + 3;
            }
        }
        return 3;
    }

    [[nodiscard]] u64 endpoint(const kernel::Endpoint* endpoint) const {
        return endpoint == nullptr ? 0 : 1 + kernel::endpoints().endpoints.index_of(*endpoint);
    }

    /// How many other armed deadlines come first, and whether it has passed.
    [[nodiscard]] u64 deadline(const kernel::Timer& timer) const {
        if (!timer.is_armed()) {
            return 0;
        }
        u64 rank = timer.when <= machine().read_clock() ? 1 : 10;
        for (u32 i = 0; i < world_.thread_count_; ++i) {
            const kernel::Timer& other = world_.threads_[i]->timer;
            rank += world_.lives(i) && other.is_armed() && other.when < timer.when ? 1 : 0;
        }
        return rank;
    }

    /// Where a thread may run, by the CPUs' other names.
    [[nodiscard]] u64 cpus_of(const Thread& thread) const {
        if ((thread.status & kernel::flag::kPinned) == 0) {
            return 0;
        }
        return swaps_cpus_ ? world_.scenario_.cpus - thread.cpu.value : 1 + thread.cpu.value;
    }

    void add_cpu(u32 index) {
        const kernel::Cpu& cpu = kernel::scheduler().cpus[index];
        const mock::Cpu& hardware = machine().cpus[index];
        const kernel::Context* context = cpu.context;
        mixer_.add_all(world_.now_.modes[index], name_of(world_.now_.current[index]));
        mixer_.add_all(context == nullptr ? 0 : name_of(context->owner), name_of(cpu.thread));
        mixer_.add(hardware.user_space);
        mixer_.add_all(cpu.level, hardware.kicked, machine().is_pending(base::CpuId{index}));
        mixer_.add(world_.scenario_.has_changes && cpu.prefers_pinned);
        mixer_.add_all(hardware.timer.has_value(),
                       cpu.context != nullptr && cpu.slice_end <= machine().read_clock());
        for (const auto& [number, line] : machine().lines) {
            mixer_.add(line.cpu.value == index);
        }
    }

    void add_thread(u32 index) {
        if (!world_.lives(index)) {
            auto& pool = kernel::scheduler().threads;
            const Thread* thread = pool.find(pool.index_of(*world_.threads_[index]));
            mixer_.add_all(77, thread == nullptr ? 0 : thread->status);
            return;
        }
        const Thread& thread = *world_.threads_[index];
        mixer_.add_all(thread.status, thread.queued, thread.level, thread.inherited);
        mixer_.add_all(thread.home.priority, cpus_of(thread));
        mixer_.add_all(name_of(thread.context->owner), name_of(thread.client));
        mixer_.add_all(name_of(thread.server), name_of(thread.peer), name_of(thread.next_waiter));
        mixer_.add_all(endpoint(thread.listener), endpoint(thread.target), thread.listener_handle);
        mixer_.add_all(thread.expected_response, thread.request_tag, thread.accepted_handles);
        mixer_.add_all(thread.target == nullptr || thread.target_life == thread.target->life);
        mixer_.add_all(thread.callee, thread.work, thread.cursor, thread.in_call);
        mixer_.add_all(thread.references, name_of(thread.leader), thread.wait_address);
        mixer_.add_all(thread.message.tag.value, thread.message.staged.value != 0);
        mixer_.add_all(thread.message.fixed_size, thread.message.arena_size);
        mixer_.add_all(thread.message.settled);
        mixer_.add_all(token(thread.reply_token), deadline(thread.timer));
        mixer_.add_all(thread.kernel_state[0], thread.kernel_state[1]);
        mixer_.add_all(thread.room_fixed.value, thread.room_arena.value);
    }

    void add_ghost(const Ghost& ghost) {
        mixer_.add_all(ghost.wants, ghost.act, ghost.granted, ghost.denied, ghost.delivered);
        mixer_.add_all(ghost.answered, ghost.is_cut_off, ghost.was_current, ghost.was_set);
        mixer_.add_all(name_of(ghost.held_client), name_of(ghost.past_client));
        mixer_.add_all(token(ghost.held), ghost.held_tag, token(ghost.past), ghost.past_tag);
    }

    void add_process(u32 index) {
        auto& pool = kernel::objects().processes;
        const kernel::Process& process = *world_.processes_[index];
        if (pool.find(pool.index_of(process)) == nullptr) {
            mixer_.add(55);
            return;
        }
        mixer_.add_all(process.state, process.references, process.threads.count());
        mixer_.add_all(process.used_pages, process.region_count, process.teardown_phase);
        mixer_.add_all(process.teardown_cursor, process.handles.used());
        if (process.state == kernel::ProcessState::Running) {
            const u32 word = world_.scenario_.has_locks ? world_.lock_word(index) : 0;
            const u32 owner = word & ~abi::kLockIsAwaited;
            mixer_.add_all(name_of(kernel::find_thread(process, owner)), owner == 0, word >> 31);
            for (u32 i = 0; i < 8; ++i) {
                const kernel::Slot& slot = process.handles.at(i);
                mixer_.add_all(
                    slot.handle, slot.rights, slot.type, slot.first_child.value, slot.badge);
            }
        }
    }

    void add_endpoints() {
        auto& pool = kernel::endpoints().endpoints;
        for (u32 i = 0; i < kProcesses; ++i) {
            const kernel::Endpoint* endpoint = pool.find(i);
            if (endpoint == nullptr) {
                mixer_.add(33);
                continue;
            }
            mixer_.add_all(endpoint->pending, endpoint->process != nullptr, endpoint->references);
            mixer_.add_all(name_of(endpoint->server), name_of(endpoint->waiters));
            for (const Thread* each = endpoint->callers.front(); each != nullptr;
                 each = endpoint->callers.next(*each)) {
                mixer_.add(name_of(each));
            }
        }
    }

    void add_lines() {
        for (const auto& [number, line] : machine().lines) {
            mixer_.add_all(line.enabled, line.pending, line.active);
            if (const kernel::Line* known = kernel::lines().find(base::IrqLine{number});
                known != nullptr) {
                mixer_.add_all(known->is_enabled, known->is_active, known->notice != nullptr);
                if (known->notice != nullptr) {
                    mixer_.add_all(known->notice->stage,
                                   known->notice->bits,
                                   known->notice->endpoint != nullptr);
                }
            }
        }
    }

    const World& world_;
    const std::vector<u8>& threads_;  // by new name, the old one
    bool swaps_cpus_;
    Mixer mixer_;
};

u64 World::hash() const {
    u64 least = ~u64{0};
    for (const std::vector<u8>& renaming : renamings_) {
        for (const bool swaps_cpus : {false, true}) {
            least = std::min(least, Hasher{*this, renaming, swaps_cpus}.hash());
        }
    }
    return least;
}

}  // namespace explore
