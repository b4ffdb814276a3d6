// SPDX-License-Identifier: Apache-2.0
// Channels that programs ask for while the system runs: kl.core.CM, which the kernel leaves to
// init. Only components that the system description marks take part. Whoever calls is known by the
// SID that the kernel puts into the badge, hence by the name under which init started him. A call
// that must wait is answered later; nothing here waits, and what is kept is bounded: kPlaces who
// ask, kPlaces who listen, one place for each client, server and service.
#pragma once

#include <kl/core/CM.server.hpp>
#include <services/init/launcher.hpp>

namespace svc::init {

class Connections final : public kl::core::CM::Server {
public:
    static constexpr u32 kPlaces = 32;

    /// `units` are all that can be asked for; their present lives decide.
    Connections(Kernel& kernel, std::span<const Unit> units) : kernel_(kernel), units_(units) {}

    idl::Outcome<Connect_Results> Connect(const idl::Caller& caller,
                                          const Connect_Arguments& in) override;
    idl::Outcome<Listen_Results> Listen(const idl::Caller& caller,
                                        const Listen_Arguments& in) override;
    idl::Outcome<Drop_Results> Drop(const idl::Caller& caller, const Drop_Arguments& in) override;
    idl::Outcome<Accept_Results> Accept(const idl::Caller& caller,
                                        const Accept_Arguments& in) override;

    /// A life is over: nobody waits for it any more, and it waits for nobody. 0: none.
    void on_task_ended(u64 sid);

    /// Answers whose time is over.
    void expire();

    /// When expire() must be called next, in CNTVCT ticks; 0 = nobody waits for a time.
    [[nodiscard]] u64 next_deadline() const;

private:
    struct Waiting {
        idl::Deferred call{};
        u64 deadline = 0;
        u64 sid = 0;  // who waits; 0: the place is free
    };

    struct Asking : Waiting {
        u64 server = 0;
        u64 turn = 0;  // the lowest is found first
        char service[kl::core::CM::MaxService]{};
        u32 service_size = 0;

        [[nodiscard]] std::string_view name() const { return {service, service_size}; }
    };

    [[nodiscard]] const Unit* find_sid(u64 sid) const;
    [[nodiscard]] const Unit* find_name(std::string_view task) const;
    [[nodiscard]] Asking* find_asking(u64 client, u64 server, std::string_view service);
    [[nodiscard]] Asking*
    find_asking(u64 server, std::string_view client, std::string_view service);
    [[nodiscard]] Asking* next_for(u64 server);
    [[nodiscard]] u64 deadline_after(u32 milliseconds);
    static void end(Asking& asking, Status status);
    static void end(Waiting& listening, Status status);
    void tell(Waiting& listening, Asking& asking);

    Kernel& kernel_;
    std::span<const Unit> units_;
    Asking asking_[kPlaces]{};
    Waiting listening_[kPlaces]{};
    u64 last_turn_ = 0;
};

}  // namespace svc::init
