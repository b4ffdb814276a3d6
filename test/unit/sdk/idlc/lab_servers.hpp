// SPDX-License-Identifier: Apache-2.0
// Implementations of the lab's interfaces, for tests of both bindings.
#pragma once

#include <cstring>
#include <lab/Every.server.hpp>
#include <lab/Valve.server.hpp>
#include <string>
#include <string_view>

namespace test {

class Valve final : public lab::Valve::Server {
public:
    idl::Outcome<Set_Results, Set_Errors> Set(const idl::Caller& caller,
                                              const Set_Arguments& in) override {
        ++calls;
        badge = caller.badge;
        reason = in.reason;
        reason_view = in.reason;
        if (in.value > 100) {
            return Set_Errors{.fault = in.value};
        }
        if (in.value == 99) {
            saved = caller.deferral();
            return idl::deferred;
        }
        return Set_Results{.ok = 1};
    }

    idl::Outcome<Limit_Results> Limit(const idl::Caller&, const Limit_Arguments& in) override {
        ++calls;
        limits = in.range;
        return Limit_Results{};
    }

    idl::Outcome<History_Results> History(const idl::Caller& caller,
                                          const History_Arguments&) override {
        ++calls;
        if (use_arena) {
            const auto values = caller.arena.allocate<base::u16>(3);
            values[0] = 5;
            values[2] = 7;
            return History_Results{.values = values};
        }
        return History_Results{.values = {history, history_size}};
    }

    int calls = 0;
    base::u64 badge = 0;
    std::string reason;
    std::string_view reason_view;  ///< as it was given; not after the handler
    lab::Valve::Limits limits;
    idl::Deferred saved;
    bool use_arena = false;
    base::u16 history[40] = {1, 2, 3};
    std::size_t history_size = 3;
};

class Every final : public lab::Every::Server {
public:
    idl::Outcome<ints_Results> ints(const idl::Caller&, const ints_Arguments& in) override {
        last_ints = in;
        return ints_Results{.s = in.h, .p = in.g};
    }

    idl::Outcome<delete_Results> delete_(const idl::Caller&, const delete_Arguments& in) override {
        delete_Results results{.interface = in.class_};
        results.interface.tags[2].high = 9;
        return results;
    }

    idl::Outcome<text_Results> text(const idl::Caller& caller, const text_Arguments& in) override {
        const auto joined =
            caller.arena.allocate<char>(static_cast<base::u32>(in.a.size() + in.b.size()));
        std::memcpy(joined.data(), in.a.data(), in.a.size());
        std::memcpy(joined.data() + in.a.size(), in.b.data(), in.b.size());
        return text_Results{.c = in.a, .d = {joined.data(), joined.size()}};
    }

    idl::Outcome<bytes_Results, bytes_Errors> bytes(const idl::Caller&,
                                                    const bytes_Arguments& in) override {
        if (in.data.size() > 50) {
            return bytes_Errors{.why = in.data.first(10)};
        }
        return bytes_Results{.data = in.data};
    }

    idl::Outcome<handles_Results> handles(const idl::Caller&,
                                          const handles_Arguments& in) override {
        return handles_Results{.c = in.a, .d = {in.b, in.a}};
    }

    idl::Outcome<seqs_Results> seqs(const idl::Caller& caller, const seqs_Arguments& in) override {
        sum = 0;
        for (const base::u64 value : in.a) {
            sum += value;
        }
        texts.clear();
        for (const abi::ArenaRange& labels : in.c) {
            for (const auto& label : in.idl_arena.values<lab::Every::Label>(labels)) {
                texts += in.idl_arena.text(label);
                texts += ';';
            }
        }
        records = in.b.size();
        const auto entries = caller.arena.allocate<lab::Every::Entry>(2);
        entries[0].id = 11;
        entries[0].label = caller.arena.add_text("one");
        entries[1].id = 22;
        const auto aliases = caller.arena.allocate<lab::Every::Label>(1);
        aliases[0] = caller.arena.add_text("alias");
        entries[1].aliases = caller.arena.add(std::span<const lab::Every::Label>{aliases});
        return seqs_Results{.d = entries};
    }

    idl::Outcome<unions_Results> unions(const idl::Caller&, const unions_Arguments& in) override {
        number = in.a.is_number() ? in.a.number() : 0;
        deep_text = in.b.value.is_text() ? in.idl_arena.text(in.b.value.text()) : "";
        unions_Results results;
        results.d[0] = lab::Every::Value::make_mac({1, 2, 3, 4, 5, 6});
        results.c.value = lab::Every::Value::make_number(42);
        return results;
    }

    idl::Outcome<arrays_Results> arrays(const idl::Caller&, const arrays_Arguments& in) override {
        return arrays_Results{.back = in.mac};
    }

    idl::Outcome<Method_Results> Method(const idl::Caller&, const Method_Arguments&) override {
        return Method_Results{};
    }

    idl::Outcome<until_Results> until_(const idl::Caller&, const until_Arguments&) override {
        return until_Results{.tag_ = 3};
    }

    idl::Outcome<nothing_Results> nothing(const idl::Caller&, const nothing_Arguments&) override {
        return nothing_Results{};
    }

    idl::Outcome<grants_Results> grants(const idl::Caller& caller,
                                        const grants_Arguments& in) override {
        grants_Results results;
        for (const abi::HandleDescriptor& key : in.keys) {
            const bool added = results.passes.add({key, caller.arena.add_text("pass")});
            full = full || !added;
        }
        results.back =
            in.grant.is_ring() ? lab::Every::Grant::make_key(in.grant.ring().keys[0]) : in.grant;
        return results;
    }

    idl::Outcome<rings_Results> rings(const idl::Caller&, const rings_Arguments& in) override {
        return rings_Results{.rings = {lab::Every::Ring{.keys = in.arena[1]}, {}}};
    }

    ints_Arguments last_ints;
    bool full = false;
    base::u64 sum = 0;
    std::size_t records = 0;
    std::string texts;
    base::u64 number = 0;
    std::string deep_text;
};

}  // namespace test
