// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/irq/lines.hpp>

namespace kernel {

namespace {

constexpr u32 kTakenPerEntry = 16;
constexpr u32 kExpiredPerEntry = 8;

void finish_line(Line& line) {
    if (line.is_active) {
        line.is_active = false;
        arch::irq_finish(line.number);
    }
}

void line_answered(Notice& notice) {
    if (Line* line = lines().find(base::IrqLine{notice.source}); line != nullptr) {
        finish_line(*line);
    }
}

}  // namespace

Result<Line&> register_line(base::IrqLine number, bool is_edge) {
    if (!arch::irq_is_assignable(number)) {
        return Status::InvalidArgument;
    }
    if (lines().find(number) != nullptr) {
        return Status::Busy;
    }
    Line* line = lines().take(number);
    if (line == nullptr) {
        return Status::OutOfMemory;
    }
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
        end_object(line.sid);
        lines().give(line);
    }
}

void take_interrupts() {
    for (u32 taken = 0; taken < kTakenPerEntry; ++taken) {
        const arch::Pending pending = arch::irq_take();
        if (pending.source == arch::Source::None) {
            return;
        }
        take_interrupt(pending);
    }
}

void take_interrupt(arch::Pending pending) {
    switch (pending.source) {
    case arch::Source::None:
    case arch::Source::Kick:
        break;
    case arch::Source::Timer:
        this_cpu().timer_set = kNever;
        arch::stop_timer();
        expire_timers();
        scheduler().check_budget(this_cpu());
        break;
    case arch::Source::Line:
        if (Line* line = lines().find(pending.line); line != nullptr) {
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

void expire_timers() {
    const Ticks now = arch::now();
    for (u32 expired = 0; expired < kExpiredPerEntry; ++expired) {
        Timer* timer = scheduler().timers.first();
        if (timer == nullptr || timer->when > now) {
            return;
        }
        scheduler().timers.cancel(*timer);
        if (timer->use == TimerUse::Wait) {
            auto& thread = *static_cast<Thread*>(timer->owner);
            scheduler().cancel_timer(thread);
            ipc::end_wait(thread, Status::Timeout);
        } else if (timer->use == TimerUse::Budget) {
            scheduler().share_out_budget(*static_cast<Process*>(timer->owner));
        } else if (timer->use == TimerUse::Sample) {
            scheduler().sample_all();
        }
    }
}

}  // namespace kernel
