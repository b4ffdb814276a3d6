// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/irq/lines.hpp>

namespace kernel {

namespace {

constexpr u32 kTakenPerEntry = 16;
constexpr u32 kExpiredPerEntry = 8;

Line* find_line(base::IrqLine number) {
    for (u32 i = 0; i < kMaxLines; ++i) {
        Line* line = lines().pool.find(i);
        if (line != nullptr && line->number == number) {
            return line;
        }
    }
    return nullptr;
}

void finish_line(Line& line) {
    if (line.is_active) {
        line.is_active = false;
        arch::irq_finish(line.number);
    }
}

void line_answered(Notice& notice) {
    if (Line* line = find_line(base::IrqLine{notice.source}); line != nullptr) {
        finish_line(*line);
    }
}

}  // namespace

Result<Line&> register_line(base::IrqLine number, bool is_edge) {
    if (!arch::irq_is_assignable(number)) {
        return Status::InvalidArgument;
    }
    if (find_line(number) != nullptr) {
        return Status::Busy;
    }
    Line* line = lines().pool.take();
    if (line == nullptr) {
        return Status::OutOfMemory;
    }
    line->number = number;
    line->is_edge = is_edge;
    line->sid = objects().next_sid();
    return *line;
}

Result<void> attach_line(Line& line, Endpoint& endpoint, u64 badge) {
    TRY_VALUE(Notice & notice, attach_notice(line.notice, endpoint, badge, abi::kIrqEndpoint));
    notice.source = line.number.value;
    notice.answered = line_answered;
    finish_line(line);  // what the last life left active
    return {};
}

void detach_line(Line& line) {
    disable_line(line);
    if (line.notice != nullptr) {
        detach_notice(*line.notice);
        endpoints().notices.give(*line.notice);
        line.notice = nullptr;
    }
}

void enable_line(Line& line) {
    line.is_enabled = true;
    arch::irq_enable(line.number, CpuId{0}, line.is_edge);
}

void disable_line(Line& line) {
    if (line.is_enabled) {
        line.is_enabled = false;
        arch::irq_disable(line.number);
    }
}

void release_line(Line& line) {
    if (--line.references == 0) {
        detach_line(line);
        finish_line(line);
        lines().pool.give(line);
    }
}

void take_interrupts() {
    for (u32 taken = 0; taken < kTakenPerEntry; ++taken) {
        const arch::Pending pending = arch::irq_take();
        switch (pending.source) {
        case arch::Source::None:
            return;
        case arch::Source::Timer:
            scheduler().cpus[arch::cpu_index().value].timer_set = Ticks{};
            arch::stop_timer();
            expire_timers();
            break;
        case arch::Source::Kick:
            break;
        case arch::Source::Line:
            if (Line* line = find_line(pending.line); line != nullptr) {
                line->is_active = true;
                if (line->notice != nullptr) {
                    raise_notice(*line->notice, pending.line.value);
                }
            } else {
                arch::irq_disable(pending.line);
                arch::irq_finish(pending.line);
            }
            break;
        }
    }
}

void expire_timers() {
    const Ticks now = arch::now();
    for (u32 expired = 0; expired < kExpiredPerEntry; ++expired) {
        Timer* timer = scheduler().timers.first();
        if (timer == nullptr || timer->when > now) {
            return;
        }
        auto& thread = *static_cast<Thread*>(timer->owner);
        scheduler().cancel_timer(thread);
        ipc::end_wait(thread, Status::Timeout);
    }
}

void program_timer() {
    const CpuId self = arch::cpu_index();
    Cpu& cpu = scheduler().cpus[self.value];
    Ticks next = scheduler().slice_deadline(self);
    const Timer* first = scheduler().timers.first();
    if (first != nullptr && (next.value == 0 || first->when < next)) {
        next = first->when;
    }
    if (next == cpu.timer_set) {
        return;
    }
    cpu.timer_set = next;
    if (next.value == 0) {
        arch::stop_timer();
    } else {
        arch::set_timer(next);
    }
}

}  // namespace kernel
