// SPDX-License-Identifier: Apache-2.0
// Several handles in one message, in a list and in a union (docs/decisions/0012): they arrive all
// or none, what is not there carries none, and a rule sees what is moved.
#include <kernel/abi/rights.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <trial/Bundle.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

namespace rights = abi::rights;
using Either = Bundle::Either;
using Method = Bundle::Method;

constexpr u32 kPlaces = Bundle::MaxParcels;

abi::HandleDescriptor parcel(u32 handle, u32 handle_rights = rights::kAll) {
    return {.handle = handle, .rights = handle_rights, .badge = 0};
}

/// Memory objects of this process, each mapped, with its number in its first word.
class Goods final {
public:
    Goods() {
        for (u32 i = 0; i < kPlaces; ++i) {
            handle_[i] = vmm().MdlCreate(kPage, 0).value().mdl.handle;
            address_[i] = vmm().MdlMap(handle_[i], 0, kPage, 0, kWritable).value().at;
            word(i) = 100 + i;
        }
    }

    ~Goods() {
        for (u32 i = 0; i < kPlaces; ++i) {
            (void)vmm().Free(address_[i], kPage);
            (void)handles().Close(handle_[i]);
        }
    }

    Goods(const Goods&) = delete;
    Goods& operator=(const Goods&) = delete;

    [[nodiscard]] u32 handle(u32 i) const { return handle_[i]; }

    [[nodiscard]] volatile u64& word(u32 i) const { return at<volatile u64>(address_[i]); }

    [[nodiscard]] Bundle::Parcels list(u32 count) const {
        Bundle::Parcels parcels;
        for (u32 i = 0; i < count; ++i) {
            (void)parcels.add(parcel(handle_[i]));
        }
        return parcels;
    }

private:
    u32 handle_[kPlaces];
    u64 address_[kPlaces];
};

class Bundles final {
public:
    Bundles(Report& report, u32 server) : report_(report), server_(server) {}

    void lists_arrive();
    void lists_return();
    void unions_arrive();
    void too_many();
    void hidden();
    void wrong();
    void rules();
    void no_place();
    void accounts();

private:
    [[nodiscard]] Bundle::Proxy bundle() const { return {server_, Server::endpoint::bundle}; }

    u64 entered() { return bundle().Entered().value().count; }

    /// Whether the memory in that place of the server's is goods number `i`: a change made there is
    /// seen here.
    void require_same(Test& test, u32 place, const Goods& goods, u32 i) {
        const u64 before = goods.word(i);
        const auto touched = bundle().Touch(place, 1000);
        test.equal("touch", touched.status(), Status::Ok);
        test.equal("server saw", touched.value().first, before);
        test.equal("client sees", goods.word(i), before + 1000);
    }

    template <typename Fixed>
    Status send(Method method, const Fixed& fixed, u32 handle_count, u32 accepted = 0) {
        sdk::Incoming incoming;
        const abi::Tag tag = abi::Tag::make_long(
            abi::Kind::Request, Server::endpoint::bundle, static_cast<u16>(method), handle_count);
        sdk::call(server_,
                  abi::Tag{tag.value | (u64{accepted} << 52)},
                  {.fixed = &fixed, .fixed_size = sizeof(fixed)},
                  {},
                  incoming);
        return incoming.status;
    }

    /// A list with `count` written over its length, and all places filled.
    Status send_list(const Goods& goods, u32 count, u32 handle_count = kPlaces) {
        Bundle::LeaveAll_Request fixed{.parcels = goods.list(kPlaces)};
        __builtin_memcpy(static_cast<void*>(&fixed.parcels), &count, sizeof(count));
        return send(Method::LeaveAll, fixed, handle_count);
    }

    /// A union whose member `wanted` is said to be active, with the handles of another one.
    Status send_union(const Either& either, u32 wanted) {
        Bundle::LeaveEither_Request fixed{.either = either};
        __builtin_memcpy(static_cast<void*>(&fixed.either), &wanted, sizeof(wanted));
        return send(Method::LeaveEither, fixed, 3);
    }

    Report& report_;
    u32 server_;
};

void Bundles::lists_arrive() {
    Test test{report_, "bundles.lists-arrive-and-work"};
    const Goods goods;
    for (u32 count = 0; count <= kPlaces; ++count) {
        const auto left = bundle().LeaveAll(goods.list(count));
        test.equal("leave", left.status(), Status::Ok);
        test.equal("places", left.value().places, count);
        test.equal("arrived", left.value().arrived, count);
        for (u32 i = 0; i < count; ++i) {
            require_same(test, i, goods, i);
        }
    }
    Bundle::Parcels gap;
    for (const u32 handle : {goods.handle(3), 0u, goods.handle(1)}) {
        (void)gap.add(parcel(handle));
    }
    const auto left = bundle().LeaveAll(gap);
    test.equal("leave with a gap", left.status(), Status::Ok);
    test.equal("places with a gap", left.value().places, 3);
    test.equal("arrived with a gap", left.value().arrived, 2);
    require_same(test, 0, goods, 3);
    require_same(test, 1, goods, 1);
    test.equal("drop", bundle().DropAll().status(), Status::Ok);
}

void Bundles::lists_return() {
    Test test{report_, "bundles.lists-return-with-the-rights-they-had"};
    const Goods goods;
    Bundle::Parcels sent;
    (void)sent.add(parcel(goods.handle(0), rights::kRead | rights::kTransfer));
    (void)sent.add(parcel(goods.handle(1)));
    test.equal("leave", bundle().LeaveAll(sent).status(), Status::Ok);
    test.equal("read-only there", bundle().Touch(0, 1).status(), Status::NoCapability);
    const auto back = bundle().CollectAll(rights::kAll);
    test.equal("collect", back.status(), Status::Ok);
    if (test.equal("how many", back.value().parcels.size(), 2)) {
        const Bundle::Parcels parcels = back.value().parcels;
        test.equal("rights of the first", parcels[0].rights, rights::kRead | rights::kTransfer);
        test.equal("write to the first",
                   vmm().MdlMap(parcels[0].handle, 0, kPage, 0, kWritable).status(),
                   Status::NoCapability);
        const auto mapped = vmm().MdlMap(parcels[1].handle, 0, kPage, 0, kWritable);
        test.equal("write to the second", mapped.status(), Status::Ok);
        test.equal("it is the second", at<volatile u64>(mapped.value().at), goods.word(1));
        (void)vmm().Free(mapped.value().at, kPage);
        for (const abi::HandleDescriptor& one : parcels) {
            test.equal("close", handles().Close(one.handle).status(), Status::Ok);
        }
    }
    (void)bundle().DropAll();
}

void Bundles::unions_arrive() {
    Test test{report_, "bundles.unions-arrive-and-return"};
    const Goods goods;
    const auto number = bundle().LeaveEither(Either::make_number(~u64{0}));
    test.equal("leave a number", number.status(), Status::Ok);
    test.equal("of a number arrived", number.value().arrived, 0);
    const auto one = bundle().LeaveEither(Either::make_parcel(parcel(goods.handle(2))));
    test.equal("leave one", one.status(), Status::Ok);
    test.equal("member of one", one.value().member, 1);
    test.equal("of one arrived", one.value().arrived, 1);
    require_same(test, 0, goods, 2);
    idl::HandleList<abi::HandleDescriptor, 2> pair;
    (void)pair.add(parcel(goods.handle(0)));
    (void)pair.add(parcel(goods.handle(3)));
    const auto two = bundle().LeaveEither(Either::make_pair(pair));
    test.equal("leave two", two.status(), Status::Ok);
    test.equal("member of two", two.value().member, 2);
    test.equal("of two arrived", two.value().arrived, 2);
    require_same(test, 0, goods, 0);
    require_same(test, 1, goods, 3);
    for (u32 member = 0; member < 3; ++member) {
        const auto back = bundle().CollectEither(member);
        test.equal("collect", back.status(), Status::Ok);
        const Either either = back.value().either;
        test.require("member back",
                     member == 0   ? either.is_number() && either.number() == 2
                     : member == 1 ? either.is_parcel()
                                   : either.is_pair() && either.pair().size() == 2,
                     member);
        if (either.is_parcel()) {
            test.equal("close", handles().Close(either.parcel().handle).status(), Status::Ok);
        } else if (either.is_pair()) {
            for (const abi::HandleDescriptor& each : either.pair()) {
                test.equal("close each", handles().Close(each.handle).status(), Status::Ok);
            }
        }
    }
    (void)bundle().DropAll();
}

void Bundles::too_many() {
    Test test{report_, "bundles.too-many-are-refused"};
    const Goods goods;
    Bundle::Parcels full = goods.list(kPlaces);
    test.require("no fifth place", !full.add(parcel(goods.handle(0))));
    const u64 before = entered();
    const Holdings held = settled_holdings();
    for (const u32 count : {kPlaces + 1, 0x100u, 0xFFFF'FFFFu}) {
        test.equal("longer than its places", send_list(goods, count), Status::SecurityDisallow);
    }
    for (const u32 handle_count : {0u, kPlaces - 1, kPlaces + 1, 9u}) {
        const Status status = send_list(goods, kPlaces, handle_count);
        test.equal("another number of places",
                   status,
                   handle_count <= abi::kMaxHandlesPerMessage ? Status::SecurityDisallow
                                                              : Status::BadCall);
    }
    idl::HandleList<abi::HandleDescriptor, 2> pair;
    (void)pair.add(parcel(goods.handle(0)));
    Bundle::LeaveEither_Request fixed{.either = Either::make_pair(pair)};
    auto* const bytes = static_cast<u8*>(static_cast<void*>(&fixed.either));
    constexpr u64 kPairAt = sizeof(Either) - sizeof(pair);
    bytes[kPairAt] = 3;
    test.equal("longer in a union", send(Method::LeaveEither, fixed, 3), Status::SecurityDisallow);
    test.equal("server entered", entered(), before);
    test.require("nothing moved", settled_holdings() == held);
    test.equal("as long as its places", send_list(goods, kPlaces), Status::Ok);
    test.equal("server entered then", entered(), before + 1);
    (void)bundle().DropAll();
}

void Bundles::hidden() {
    Test test{report_, "bundles.what-is-not-there-carries-none"};
    const Goods goods;
    const u64 before = entered();
    const Holdings held = settled_holdings();
    for (u32 count = 0; count < kPlaces; ++count) {
        test.equal("behind the list", send_list(goods, count), Status::SecurityDisallow);
    }
    const Either one = Either::make_parcel(parcel(goods.handle(0)));
    idl::HandleList<abi::HandleDescriptor, 2> list;
    (void)list.add(parcel(goods.handle(0)));
    const Either pair = Either::make_pair(list);
    test.equal("one, said to be a number", send_union(one, 0), Status::SecurityDisallow);
    test.equal("one, said to be a pair", send_union(one, 2), Status::SecurityDisallow);
    test.equal("a pair, said to be a number", send_union(pair, 0), Status::SecurityDisallow);
    test.equal("a pair, said to be one", send_union(pair, 1), Status::SecurityDisallow);
    test.equal("of a member that is not", send_union(one, 3), Status::SecurityDisallow);
    test.equal("server entered", entered(), before);
    test.require("nothing moved", settled_holdings() == held);
    test.equal("one, said to be one", send_union(one, 1), Status::Ok);
    test.equal("a pair, said to be a pair", send_union(pair, 2), Status::Ok);
    (void)bundle().DropAll();
}

void Bundles::wrong() {
    Test test{report_, "bundles.one-wrong-handle-stops-them-all"};
    const Goods goods;
    const u32 bound = handles().Copy(goods.handle(0), rights::kRead, 0).value().copy;
    const u32 stale = handles().Copy(goods.handle(0), rights::kAll, 0).value().copy;
    (void)handles().Close(stale);
    const u64 before = entered();
    const Holdings held = settled_holdings();

    struct Wrong {
        u32 handle;
        Status status;
    };

    const Wrong kinds[] = {{stale, Status::BadHandle},
                           {0x7777'0033, Status::BadHandle},
                           {bound, Status::NoCapability}};
    for (const Wrong& kind : kinds) {
        for (u32 place = 0; place < kPlaces; ++place) {
            Bundle::Parcels parcels;
            for (u32 i = 0; i < kPlaces; ++i) {
                (void)parcels.add(parcel(i == place ? kind.handle : goods.handle(i)));
            }
            test.equal("in a list", bundle().LeaveAll(parcels).status(), kind.status);
        }
        test.equal("in a union",
                   bundle().LeaveEither(Either::make_parcel(parcel(kind.handle))).status(),
                   kind.status);
        idl::HandleList<abi::HandleDescriptor, 2> pair;
        (void)pair.add(parcel(goods.handle(1)));
        (void)pair.add(parcel(kind.handle));
        test.equal("in a list in a union",
                   bundle().LeaveEither(Either::make_pair(pair)).status(),
                   kind.status);
    }
    test.equal("server entered", entered(), before);
    require_restored(test, held);
    (void)handles().Close(bound);
}

void Bundles::rules() {
    Test test{report_, "bundles.a-rule-sees-what-is-moved"};
    const Goods goods;
    const auto leave = [&](u32 count, u32 second) {
        Bundle::Parcels parcels;
        for (u32 i = 0; i < count; ++i) {
            (void)parcels.add(parcel(goods.handle(i), i == 1 ? second : rights::kAll));
        }
        return bundle().LeaveSecondReadable(parcels).status();
    };
    const u64 before = entered();
    test.equal("no second", leave(1, 0), Status::SecurityDisallow);
    test.equal("a second with other rights", leave(3, rights::kAll), Status::SecurityDisallow);
    test.equal("server entered", entered(), before);
    test.equal("as the rule wants it", leave(3, Bundle::ReadAndPass), Status::Ok);
    test.equal("server entered then", entered(), before + 1);
    test.equal("so it is there", bundle().Touch(1, 1).status(), Status::NoCapability);
    require_same(test, 2, goods, 2);
    (void)bundle().DropAll();
}

void Bundles::no_place() {
    Test test{report_, "bundles.an-answer-needs-all-places"};
    const Goods goods;
    test.equal("leave", bundle().LeaveAll(goods.list(kPlaces)).status(), Status::Ok);
    const Holdings held = settled_holdings();
    const u64 wanted = rights::kAll;
    for (u32 accepted = 0; accepted < kPlaces; ++accepted) {
        Bundle::CollectAll_Response fixed{};
        sdk::Incoming incoming;
        const abi::Tag tag = abi::Tag::make_short(abi::Kind::Request,
                                                  Server::endpoint::bundle,
                                                  static_cast<u16>(Method::CollectAll),
                                                  sizeof(wanted));
        sdk::call(server_,
                  abi::Tag{tag.value | (u64{accepted} << 52)},
                  {.fixed = &wanted, .fixed_size = sizeof(wanted)},
                  {.fixed = &fixed, .fixed_size = sizeof(fixed)},
                  incoming);
        test.equal("fewer accepted", incoming.status, Status::BufferTooSmall);
    }
    require_restored(test, held);
    for (u32 i = 0; i < kPlaces; ++i) {
        require_same(test, i, goods, i);
    }
    (void)bundle().DropAll();
}

void Bundles::accounts() {
    Test test{report_, "bundles.nothing-is-left-behind"};
    (void)bundle().DropAll();
    const Holdings before = settled_holdings();
    for (u32 round = 0; round < 25; ++round) {
        const Goods goods;
        test.equal("leave", bundle().LeaveAll(goods.list(round % 5)).status(), Status::Ok);
        const auto back = bundle().CollectAll(rights::kAll);
        test.equal("how many", back.value().parcels.size(), round % 5);
        for (const abi::HandleDescriptor& one : back.value().parcels) {
            (void)handles().Close(one.handle);
        }
        (void)send_list(goods, 2);
    }
    (void)bundle().DropAll();
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    Bundles bundles{report, connection(context, "server")};
    bundles.lists_arrive();
    bundles.lists_return();
    bundles.unions_arrive();
    bundles.too_many();
    bundles.hidden();
    bundles.wrong();
    bundles.rules();
    bundles.no_place();
    bundles.accounts();
}

}  // namespace trial
