// SPDX-License-Identifier: Apache-2.0
// What a session costs the kernel, and that a failure halfway gives everything back.
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fake_ipc.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Handle.client.hpp>
#include <kl/core/IO.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <map>
#include <services/block/kernel_sessions.hpp>
#include <set>

namespace {

using namespace svc::block;
using base::Status;
namespace io = kl::core::IO;
namespace vmm = kl::core::VMM;
namespace handle = kl::core::Handle;

constexpr u32 kListener = 0x70;
constexpr u16 kEndpoint = 3;

/// Hands out handles and memory, fails at the call that the test names, and keeps the accounts.
class Kernel {
public:
    Kernel() {
        fake::reset();
        fake::ipc().on_call = [this](const fake::Sent& sent) { return answer(sent); };
    }

    u32 fails_at = ~u32{0};
    u32 calls = 0;
    std::set<u32> handles{};
    std::map<u64, std::vector<u8>> mappings{};
    handle::CreateUserObject_Request object{};
    handle::CreateBadge_Request badge{};
    std::vector<u32> revoked{};

private:
    template <typename Response>
    static fake::Answer with_handle(const fake::Sent& sent, const Response& response) {
        fake::Answer answer = fake::respond(sent, response);
        answer.tag =
            abi::Tag::make_long(abi::Kind::Response, sent.tag.endpoint(), sent.tag.method(), 1);
        return answer;
    }

    u32 add_handle() {
        handles.insert(++last);
        return last;
    }

    fake::Answer answer(const fake::Sent& sent) {
        namespace endpoint = kl::core::Core::endpoint;
        REQUIRE(sent.handle == sdk::kKernelHandle);
        const bool fails = calls++ == fails_at;
        const s32 rc = static_cast<s32>(fails ? Status::OutOfMemory : Status::Ok);
        const u32 number = sent.tag.endpoint();
        const u32 method = sent.tag.method();
        if (number == endpoint::io_IO && method == io::RegisterDma_Traits::kMethod) {
            REQUIRE(fake::fixed_of<io::RegisterDma_Request>(sent).order == 6);
            return with_handle(sent,
                               io::RegisterDma_Response{
                                   .resource = {.handle = fails ? 0 : add_handle()}, .rc = rc});
        }
        if (number == endpoint::io_IO && method == io::DmaGetPhysInfo_Traits::kMethod) {
            return fake::respond(sent,
                                 io::DmaGetPhysInfo_Response{.physical = 0x4800'0000, .rc = rc});
        }
        if (number == endpoint::io_IO) {
            REQUIRE(method == io::RevokeResource_Traits::kMethod);
            return fake::respond(sent, io::RevokeResource_Response{});
        }
        if (number == endpoint::vmm_VMM && method == vmm::MdlMap_Traits::kMethod) {
            std::vector<u8> memory(fails ? 0 : kBufferBytes);
            const u64 at = std::bit_cast<u64>(memory.data());
            if (!fails) {
                mappings[at] = std::move(memory);
            }
            return fake::respond(sent, vmm::MdlMap_Response{.at = at, .rc = rc});
        }
        if (number == endpoint::vmm_VMM) {
            REQUIRE(mappings.erase(fake::fixed_of<vmm::Free_Request>(sent).address) == 1);
            return fake::respond(sent, vmm::Free_Response{});
        }
        switch (method) {
        case handle::CreateUserObject_Traits::kMethod:
            object = fake::fixed_of<handle::CreateUserObject_Request>(sent);
            return fake::respond(
                sent,
                handle::CreateUserObject_Response{.handle = fails ? 0 : add_handle(), .rc = rc});
        case handle::CreateBadge_Traits::kMethod:
            badge = fake::fixed_of<handle::CreateBadge_Request>(sent);
            return fake::respond(
                sent, handle::CreateBadge_Response{.badge = fails ? 0 : add_handle(), .rc = rc});
        case handle::Revoke_Traits::kMethod:
            revoked.push_back(fake::fixed_of<handle::Revoke_Request>(sent).target);
            return fake::respond(sent, handle::Revoke_Response{});
        default:
            REQUIRE(method == handle::Close_Traits::kMethod);
            REQUIRE(handles.erase(fake::fixed_of<handle::Close_Request>(sent).target) == 1);
            return fake::respond(sent, handle::Close_Response{});
        }
    }

    u32 last = 0x100;
};

}  // namespace

TEST_CASE("a session is an object, a badge and a buffer, and gives them back",
          "[services][block]") {
    Kernel kernel;
    const Backing backing = GENERATE(Backing::Device, Backing::Memory);
    KernelSessions sessions{kListener, kEndpoint, backing};
    const auto made = sessions.make(kSessionBit | 5);
    REQUIRE(made.ok());
    const Session& session = made.value();
    CHECK(kernel.object.context == (kSessionBit | 5));
    CHECK(kernel.object.channel == kListener);
    CHECK(kernel.object.endpoint == kEndpoint);
    CHECK(kernel.badge.context == (kSessionBit | 5));
    CHECK(kernel.badge.eventId == (kSessionBit | 5));
    CHECK(kernel.badge.notice == kListener);
    CHECK(session.memory.size() == kBufferBytes);
    CHECK(session.device_address == (backing == Backing::Device ? 0x4800'0000 : 0));
    CHECK(kernel.handles == std::set{session.object, session.badge, session.buffer});
    sessions.end(session);
    CHECK(kernel.revoked == std::vector{session.object});
    CHECK(kernel.handles.empty());
    CHECK(kernel.mappings.empty());
}

TEST_CASE("a session that cannot be made whole is not made", "[services][block]") {
    Kernel kernel;
    kernel.fails_at = GENERATE(0u, 1u, 2u, 3u, 4u);
    INFO("call " << kernel.fails_at);
    KernelSessions sessions{kListener, kEndpoint, Backing::Device};
    CHECK(sessions.make(kSessionBit | 5).status() == Status::OutOfMemory);
    CHECK(kernel.handles.empty());
    CHECK(kernel.mappings.empty());
}
