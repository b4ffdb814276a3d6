// SPDX-License-Identifier: Apache-2.0
// The server's side of trial.Bundle. It believes what arrives, like all of the server.
#pragma once

#include <kernel/abi/rights.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <trial/Bundle.server.hpp>

namespace trial {

class BundleService final : public Bundle::Server {
public:
    idl::Outcome<Bundle::LeaveAll_Results> LeaveAll(const idl::Caller&,
                                                    const Bundle::LeaveAll_Arguments& in) override {
        return Bundle::LeaveAll_Results{.places = in.parcels.size(), .arrived = keep(in.parcels)};
    }

    idl::Outcome<Bundle::LeaveSecondReadable_Results>
    LeaveSecondReadable(const idl::Caller&,
                        const Bundle::LeaveSecondReadable_Arguments& in) override {
        return Bundle::LeaveSecondReadable_Results{.places = in.parcels.size(),
                                                   .arrived = keep(in.parcels)};
    }

    idl::Outcome<Bundle::CollectAll_Results>
    CollectAll(const idl::Caller&, const Bundle::CollectAll_Arguments& in) override {
        Bundle::CollectAll_Results results;
        for (u32 i = 0; i < count_; ++i) {
            (void)results.parcels.add({.handle = kept_[i], .rights = in.rights, .badge = 0});
        }
        return results;
    }

    idl::Outcome<Bundle::LeaveEither_Results>
    LeaveEither(const idl::Caller&, const Bundle::LeaveEither_Arguments& in) override {
        Bundle::Parcels parcels;
        u32 member = 0;
        if (in.either.is_parcel()) {
            (void)parcels.add(in.either.parcel());
            member = 1;
        } else if (in.either.is_pair()) {
            for (const abi::HandleDescriptor& parcel : in.either.pair()) {
                (void)parcels.add(parcel);
            }
            member = 2;
        }
        return Bundle::LeaveEither_Results{.member = member, .arrived = keep(parcels)};
    }

    idl::Outcome<Bundle::CollectEither_Results>
    CollectEither(const idl::Caller&, const Bundle::CollectEither_Arguments& in) override {
        const abi::HandleDescriptor first{
            .handle = kept_[0], .rights = abi::rights::kAll, .badge = 0};
        if (in.member == 0) {
            return Bundle::CollectEither_Results{.either = Bundle::Either::make_number(count_)};
        }
        if (in.member == 1) {
            return Bundle::CollectEither_Results{.either = Bundle::Either::make_parcel(first)};
        }
        idl::HandleList<abi::HandleDescriptor, 2> pair;
        (void)pair.add(first);
        (void)pair.add({.handle = kept_[1], .rights = abi::rights::kAll, .badge = 0});
        return Bundle::CollectEither_Results{.either = Bundle::Either::make_pair(pair)};
    }

    idl::Outcome<Bundle::Touch_Results> Touch(const idl::Caller&,
                                              const Bundle::Touch_Arguments& in) override {
        const u32 memory = in.place < count_ ? kept_[in.place] : 0;
        const u32 access = in.increment == 0 ? kReadable : kWritable;
        const auto mapped = vmm().MdlMap(memory, 0, base::kPageSize, 0, access);
        if (!mapped.ok()) {
            return Bundle::Touch_Results{.first = 0, .rc = static_cast<s32>(mapped.status())};
        }
        auto& word = at<volatile u64>(mapped.value().at);
        const u64 first = word;
        if (in.increment != 0) {
            word = first + in.increment;
        }
        (void)vmm().Free(mapped.value().at, base::kPageSize);
        return Bundle::Touch_Results{.first = first, .rc = 0};
    }

    idl::Outcome<Bundle::DropAll_Results> DropAll(const idl::Caller&,
                                                  const Bundle::DropAll_Arguments&) override {
        return Bundle::DropAll_Results{.rc = static_cast<s32>(drop())};
    }

    idl::Outcome<Bundle::Entered_Results> Entered(const idl::Caller&,
                                                  const Bundle::Entered_Arguments&) override {
        return Bundle::Entered_Results{.count = entered_};
    }

private:
    /// Instead of what was kept before; how many there are.
    u32 keep(const Bundle::Parcels& parcels) {
        ++entered_;
        (void)drop();
        for (const abi::HandleDescriptor& parcel : parcels) {
            if (parcel.handle != 0) {
                kept_[count_++] = parcel.handle;
            }
        }
        return count_;
    }

    Status drop() {
        Status status = Status::Ok;
        for (u32& handle : kept_) {
            if (handle != 0 && !handles().Close(handle).ok()) {
                status = Status::BadHandle;
            }
            handle = 0;
        }
        count_ = 0;
        return status;
    }

    u32 kept_[Bundle::MaxParcels]{};
    u32 count_ = 0;
    u64 entered_ = 0;
};

}  // namespace trial
