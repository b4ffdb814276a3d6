// SPDX-License-Identifier: Apache-2.0
#include "policy.hpp"

#include <deque>
#include <kernel/abi/call.hpp>

namespace kernel_test {

namespace {

Policy* g_policy = nullptr;

std::vector<u8> bytes_of(const u8* data, u32 size) {
    return data == nullptr ? std::vector<u8>{} : std::vector<u8>(data, data + size);
}

}  // namespace

/// The entry table's functions have no context of their own.
struct Hooks {
    static u16 find_class(const char* name, u32 length) {
        const auto found = g_policy->classes_.find(std::string(name, length));
        return found == g_policy->classes_.end() ? ksec::kNoClass : found->second;
    }

    static const ksec::ClassInfo* class_info(u16 id) {
        const auto found = g_policy->info_.find(id);
        return found == g_policy->info_.end() ? nullptr : &found->second;
    }

    static const ksec::MethodInfo* method_info(u16 class_id, u16 endpoint, u16 method) {
        const auto found = g_policy->methods_.find({class_id, endpoint, method});
        return found == g_policy->methods_.end() ? nullptr : &found->second;
    }

    /// As check(): whatever the class has fits, when it may be granted at all.
    static const ksec::MethodInfo* fits(u16 class_id,
                                        u16 endpoint,
                                        u16 method,
                                        ksec::Event event,
                                        const u8*,
                                        u32 fixed_size,
                                        u32 arena_size) {
        const ksec::MethodInfo* info = method_info(class_id, endpoint, method);
        if (info == nullptr) {
            return nullptr;
        }
        const bool is_request = event == ksec::Event::Request;
        const ksec::Shape& shape = is_request ? info->request : info->response;
        const bool is_right = shape.staging == ksec::Staging::Fixed &&
                              shape.fixed_size == fixed_size && shape.arena_max >= arena_size;
        return is_right ? info : nullptr;
    }

    static const ksec::Row* row(u16 src_class, u16 dst_class) {
        return &g_policy->rows_[{src_class, dst_class}].header;
    }

    static ksec::Verdict
    check(const ksec::Query* query, ksec::Progress* progress, ksec::Record* record) {
        *record = {};
        progress->response = ~u64{0};
        progress->is_settled = 0;
        keep(*query, false, ksec::Effect::Dry);
        const bool is_message = query->event <= ksec::Event::Error;
        const u16 server =
            query->event == ksec::Event::Request ? query->dst_class : query->src_class;
        const bool is_implicit =
            query->endpoint >= abi::kIrqEndpoint &&
            (query->src_class == kCoreClass || query->event != ksec::Event::Request);
        if (is_message && !is_implicit &&
            method_info(server, query->endpoint, query->method) == nullptr) {
            return deny(record, ksec::Reason::Malformed);
        }
        const ksec::Verdict verdict =
            g_policy->on_check ? g_policy->on_check(*query) : ksec::Verdict::Granted;
        return verdict == ksec::Verdict::Denied ? deny(record, ksec::Reason::Rule) : verdict;
    }

    static ksec::Verdict
    judge(const ksec::Query* query, ksec::Effect effect, ksec::Record* record) {
        *record = {};
        keep(*query, true, effect);
        const ksec::Verdict verdict =
            g_policy->on_judge ? g_policy->on_judge(*query, effect) : ksec::Verdict::Granted;
        if (verdict == ksec::Verdict::Denied) {
            return deny(record, ksec::Reason::NoRule);
        }
        record->event = static_cast<u8>(query->event);
        record->src_class = query->src_class;
        record->dst_class = query->dst_class;
        record->endpoint = query->endpoint;
        record->method = query->method;
        record->reason = static_cast<u8>(g_policy->grant_reason);
        return verdict;
    }

    static void seed(u64) {}

    static void ended(u64 sid) { g_policy->ended_sids.push_back(sid); }

private:
    static void keep(const ksec::Query& query, bool is_judge, ksec::Effect effect) {
        g_policy->asked.push_back(
            {.is_judge = is_judge,
             .effect = effect,
             .query = query,
             .fixed = bytes_of(query.message.fixed, query.message.fixed_size),
             .arena = bytes_of(query.message.arena, query.message.arena_size)});
    }

    static ksec::Verdict deny(ksec::Record* record, ksec::Reason reason) {
        record->reason = static_cast<u8>(reason);
        return ksec::Verdict::Denied;
    }
};

ksec::Shape
make_shape(u32 fixed_size, u32 arena_max, std::vector<u16> handle_offsets, bool staged) {
    static std::deque<std::vector<u16>> kept;  // shapes point at their offsets for ever
    ksec::Shape shape{};
    shape.fixed_size = fixed_size;
    shape.arena_max = arena_max;
    shape.exists = 1;
    shape.handle_count = static_cast<u8>(handle_offsets.size());
    const bool is_short =
        fixed_size <= abi::kShortBytes && arena_max == 0 && handle_offsets.empty();
    shape.staging = is_short ? ksec::Staging::Registers
                    : staged ? ksec::Staging::Arena
                             : ksec::Staging::Fixed;
    kept.push_back(std::move(handle_offsets));
    shape.handle_offsets = kept.back().data();
    return shape;
}

Policy::Policy() {
    g_policy = this;
    classes_ = {{"kl.core.Core", kCoreClass},
                {"Einit", kInitClass},
                {"test.Client", kClientClass},
                {"test.Server", kServerClass},
                {"test.Other", kOtherClass}};
    for (const auto& [name, id] : classes_) {
        info_[id] = ksec::ClassInfo{.name = name.c_str(),
                                    .name_length = static_cast<u32>(name.size()),
                                    .endpoint_count = 1,
                                    .reserved = 0,
                                    .request_fixed_max = 0,
                                    .request_arena_max = 0,
                                    .request_handles_max = 0};
    }
    entry_ = ksec::EntryTable{.magic = ksec::kEntryMagic,
                              .version = ksec::kEntryVersion,
                              .class_count = static_cast<u32>(classes_.size()),
                              .core_class = kCoreClass,
                              .init_class = kInitClass,
                              .reserved = 0,
                              .policy_hash = 0,
                              .seed = Hooks::seed,
                              .find_class = Hooks::find_class,
                              .class_info = Hooks::class_info,
                              .method_info = Hooks::method_info,
                              .fits = Hooks::fits,
                              .row = Hooks::row,
                              .check = Hooks::check,
                              .judge = Hooks::judge,
                              .ended = Hooks::ended};
}

Policy::~Policy() { g_policy = nullptr; }

void Policy::add_method(
    u16 class_id, u16 endpoint, u16 method, ksec::Shape request, ksec::Shape response) {
    methods_[{class_id, endpoint, method}] = {
        .request = request, .response = response, .error = {}};
}

void Policy::set_room(u16 class_id, u32 fixed_size, u32 arena_size, u32 handles) {
    info_[class_id].request_fixed_max = fixed_size;
    info_[class_id].request_arena_max = arena_size;
    info_[class_id].request_handles_max = handles;
}

void Policy::grant_fast(u16 src_class, u16 dst_class, u64 request_tag, u64 response_tag) {
    const u16 method = abi::Tag{request_tag}.method();
    rows_[{src_class, dst_class}].entries[method % FastRow::kEntries] = {request_tag, response_tag};
}

std::vector<Asked> Policy::asked_about(ksec::Event event) const {
    std::vector<Asked> result;
    for (const Asked& each : asked) {
        if (each.query.event == event) {
            result.push_back(each);
        }
    }
    return result;
}

}  // namespace kernel_test
