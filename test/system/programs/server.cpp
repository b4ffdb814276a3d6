// SPDX-License-Identifier: Apache-2.0
// The server that most tests talk to. It believes what arrives and writes down the worst of it:
// what the policy and the checks of the kernel must keep away, they keep away, not this program.
#include <runtime/log.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/bundle.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <trial/Server.edl.hpp>

namespace {

using base::s32;
using base::Status;
using base::u32;
using base::u64;
using idl::Caller;

class Echo final : public trial::Echo::Server {
public:
    idl::Outcome<trial::Echo::Ping_Results> Ping(const Caller&,
                                                 const trial::Echo::Ping_Arguments& in) override {
        return trial::Echo::Ping_Results{.next = in.value + 1};
    }

    idl::Outcome<trial::Echo::Seven_Results>
    Seven(const Caller&, const trial::Echo::Seven_Arguments& in) override {
        return trial::Echo::Seven_Results{.ra = ~in.a,
                                          .rb = ~in.b,
                                          .rc = ~in.c,
                                          .rd = ~in.d,
                                          .re = ~in.e,
                                          .rf = ~in.f,
                                          .rg = ~in.g};
    }

    idl::Outcome<trial::Echo::Null_Results> Null(const Caller&,
                                                 const trial::Echo::Null_Arguments&) override {
        return trial::Echo::Null_Results{};
    }

    idl::Outcome<trial::Echo::Add_Results> Add(const Caller&,
                                               const trial::Echo::Add_Arguments& in) override {
        sum_ += in.value;
        return trial::Echo::Add_Results{.sum = sum_};
    }

private:
    u64 sum_ = 0;
};

class Texts final : public trial::Texts::Server {
public:
    idl::Outcome<trial::Texts::Note_Results> Note(const Caller&,
                                                  const trial::Texts::Note_Arguments& in) override {
        ++entered_;
        return trial::Texts::Note_Results{.length = static_cast<u32>(in.text.size())};
    }

    idl::Outcome<trial::Texts::Numbers_Results>
    Numbers(const Caller&, const trial::Texts::Numbers_Arguments& in) override {
        ++entered_;
        u64 sum = in.tail.size();
        for (const u64 value : in.values) {
            sum += value;
        }
        return trial::Texts::Numbers_Results{.sum = sum};
    }

    idl::Outcome<trial::Texts::Pick_Results> Pick(const Caller&,
                                                  const trial::Texts::Pick_Arguments&) override {
        ++entered_;
        return trial::Texts::Pick_Results{.value = 1};
    }

    idl::Outcome<trial::Texts::Entered_Results>
    Entered(const Caller&, const trial::Texts::Entered_Arguments&) override {
        return trial::Texts::Entered_Results{.count = entered_};
    }

private:
    u64 entered_ = 0;
};

class Guarded final : public trial::Guarded::Server {
public:
    idl::Outcome<trial::Guarded::Set_Results>
    Set(const Caller&, const trial::Guarded::Set_Arguments& in) override {
        return trial::Guarded::Set_Results{.seen = note(in.level)};
    }

    idl::Outcome<trial::Guarded::SetWide_Results>
    SetWide(const Caller&, const trial::Guarded::SetWide_Arguments& in) override {
        return trial::Guarded::SetWide_Results{.seen = note(in.level)};
    }

    idl::Outcome<trial::Guarded::SetNamed_Results>
    SetNamed(const Caller&, const trial::Guarded::SetNamed_Arguments& in) override {
        for (const char c : in.name) {
            bad_texts_ += c < ' ' || c > '~' ? 1 : 0;
        }
        return trial::Guarded::SetNamed_Results{.seen = note(in.level)};
    }

    idl::Outcome<trial::Guarded::Draw_Results>
    Draw(const Caller&, const trial::Guarded::Draw_Arguments& in) override {
        return trial::Guarded::Draw_Results{.level = in.wanted};
    }

    idl::Outcome<trial::Guarded::Complain_Results, trial::Guarded::Complain_Errors>
    Complain(const Caller&, const trial::Guarded::Complain_Arguments& in) override {
        return trial::Guarded::Complain_Errors{.reason = in.code};
    }

    idl::Outcome<trial::Guarded::Never_Results>
    Never(const Caller&, const trial::Guarded::Never_Arguments& in) override {
        return trial::Guarded::Never_Results{.seen = note(~u32{0}) + in.value};
    }

    idl::Outcome<trial::Guarded::Mute_Results>
    Mute(const Caller&, const trial::Guarded::Mute_Arguments& in) override {
        return trial::Guarded::Mute_Results{.seen = in.value};
    }

    idl::Outcome<trial::Guarded::Highest_Results>
    Highest(const Caller&, const trial::Guarded::Highest_Arguments&) override {
        return trial::Guarded::Highest_Results{
            .level = highest_, .badTexts = bad_texts_, .calls = calls_};
    }

private:
    u32 note(u32 level) {
        ++calls_;
        highest_ = level > highest_ ? level : highest_;
        return level;
    }

    u32 highest_ = 0;
    u32 bad_texts_ = 0;
    u64 calls_ = 0;
};

class Post final : public trial::Post::Server {
public:
    idl::Outcome<trial::Post::Leave_Results>
    Leave(const Caller&, const trial::Post::Leave_Arguments& in) override {
        drop();
        parcel_ = in.parcel.handle;
        return trial::Post::Leave_Results{.arrived = in.parcel.handle, .rights = in.parcel.rights};
    }

    idl::Outcome<trial::Post::Collect_Results>
    Collect(const Caller&, const trial::Post::Collect_Arguments& in) override {
        return trial::Post::Collect_Results{
            .parcel = {.handle = parcel_, .rights = in.rights, .badge = 0}};
    }

    idl::Outcome<trial::Post::Touch_Results>
    Touch(const Caller&, const trial::Post::Touch_Arguments& in) override {
        const auto mapped = trial::vmm().MdlMap(parcel_, 0, base::kPageSize, 0, in.flags);
        if (!mapped.ok()) {
            return trial::Post::Touch_Results{.first = 0, .rc = static_cast<s32>(mapped.status())};
        }
        auto& word = trial::at<volatile u64>(mapped.value().at);
        const u64 first = word;
        if (in.increment != 0) {
            word = first + in.increment;
        }
        (void)trial::vmm().Free(mapped.value().at, base::kPageSize);
        return trial::Post::Touch_Results{.first = first, .rc = 0};
    }

    idl::Outcome<trial::Post::Drop_Results> Drop(const Caller&,
                                                 const trial::Post::Drop_Arguments&) override {
        return trial::Post::Drop_Results{.rc = static_cast<s32>(drop())};
    }

private:
    Status drop() {
        const Status status = parcel_ == 0 ? Status::Ok : trial::handles().Close(parcel_).status();
        parcel_ = 0;
        return status;
    }

    u32 parcel_ = 0;
};

class Park final : public trial::Park::Server {
public:
    idl::Outcome<trial::Park::Wait_Results> Wait(const Caller& caller,
                                                 const trial::Park::Wait_Arguments&) override {
        if (count_ == kPlaces) {
            return trial::Park::Wait_Results{.order = ~u64{0}};
        }
        waiting_[count_++] = caller.deferral();
        return idl::deferred;
    }

    idl::Outcome<trial::Park::Release_Results>
    Release(const Caller&, const trial::Park::Release_Arguments& in) override {
        u32 released = 0;
        for (u32 i = 0; i < count_; ++i) {
            const u32 place = in.backwards != 0 ? count_ - 1 - i : i;
            released += Wait_reply(waiting_[place], {.order = i}) == Status::Ok ? 1 : 0;
        }
        count_ = 0;
        return trial::Park::Release_Results{.released = released};
    }

    idl::Outcome<trial::Park::Waiting_Results>
    Waiting(const Caller&, const trial::Park::Waiting_Arguments&) override {
        return trial::Park::Waiting_Results{.count = count_};
    }

    idl::Outcome<trial::Park::Busy_Results> Busy(const Caller&,
                                                 const trial::Park::Busy_Arguments& in) override {
        while (sdk::now_ticks() < in.until) {
        }
        return trial::Park::Busy_Results{.now = sdk::now_ticks()};
    }

private:
    static constexpr u32 kPlaces = 32;

    idl::Deferred waiting_[kPlaces]{};
    u32 count_ = 0;
};

}  // namespace

s32 sdk::program_main(const StartBlock& start) {
    Echo echo;
    Texts texts;
    Guarded guarded;
    Post post;
    Park park;
    trial::BundleService bundle;
    trial::Server::Dispatcher dispatcher{
        start.listener(), echo, texts, guarded, post, park, bundle};
    LogLine{"server", "listener-lost"}.field("status", name_of(dispatcher.run()));
    return 1;
}
