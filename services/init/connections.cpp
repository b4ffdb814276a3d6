// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <kernel/abi/rights.hpp>
#include <services/init/connections.hpp>

namespace svc::init {

namespace {

constexpr u32 kChannelRights = abi::rights::kCall | abi::rights::kCopy | abi::rights::kTransfer;
constexpr u32 kTextBytes = 128;  // of an answer to Listen

s32 code(Status status) { return static_cast<s32>(status); }

template <typename T, u32 kCount> T* free_place(T (&places)[kCount]) {
    for (T& place : places) {
        if (place.sid == 0) {
            return &place;
        }
    }
    return nullptr;
}

}  // namespace

const Unit* Connections::find_sid(u64 sid) const {
    for (const Unit& unit : units_) {
        if (unit.life.task != 0 && unit.life.sid == sid) {
            return &unit;
        }
    }
    return nullptr;
}

const Unit* Connections::find_name(std::string_view task) const {
    for (const Unit& unit : units_) {
        if (unit.component.dynamic_channels && unit.component.task == task) {
            return &unit;
        }
    }
    return nullptr;
}

Connections::Asking* Connections::find_asking(u64 client, u64 server, std::string_view service) {
    for (Asking& asking : asking_) {
        if (asking.sid == client && asking.server == server && asking.name() == service) {
            return &asking;
        }
    }
    return nullptr;
}

Connections::Asking*
Connections::find_asking(u64 server, std::string_view client, std::string_view service) {
    const Unit* const unit = find_name(client);
    return unit == nullptr || unit->life.task == 0 ? nullptr
                                                   : find_asking(unit->life.sid, server, service);
}

Connections::Asking* Connections::next_for(u64 server) {
    Asking* first = nullptr;
    for (Asking& asking : asking_) {
        if (asking.sid != 0 && asking.server == server &&
            (first == nullptr || asking.turn < first->turn)) {
            first = &asking;
        }
    }
    return first;
}

u64 Connections::deadline_after(u32 milliseconds) {
    return kernel_.now() + u64{milliseconds} * kernel_.frequency() / 1000;
}

void Connections::end(Asking& asking, Status status) {
    (void)Connect_reply(asking.call, {.channel = {}, .endpoint = 0, .rc = code(status)});
    asking.sid = 0;
}

void Connections::end(Waiting& listening, Status status) {
    idl::ArenaWriter none;
    (void)Listen_reply(listening.call, {.client = {}, .service = {}, .rc = code(status)}, none);
    listening.sid = 0;
}

void Connections::tell(Waiting& listening, Asking& asking) {
    alignas(8) u8 memory[kTextBytes];
    idl::ArenaWriter arena{memory, kTextBytes};
    const Unit* const client = find_sid(asking.sid);
    asking.turn = ++last_turn_;
    (void)Listen_reply(listening.call,
                       {.client = client == nullptr ? std::string_view{} : client->component.task,
                        .service = asking.name(),
                        .rc = code(Status::Ok)},
                       arena);
    listening.sid = 0;
}

idl::Outcome<Connections::Connect_Results> Connections::Connect(const idl::Caller& caller,
                                                                const Connect_Arguments& in) {
    const auto refuse = [](Status status) {
        return Connect_Results{.channel = {}, .endpoint = 0, .rc = code(status)};
    };
    const Unit* const server = find_name(in.server);
    if (server == nullptr || find_sid(caller.badge) == nullptr) {
        return refuse(Status::ResourceNotFound);
    }
    if (!server->life.is_running) {
        return refuse(Status::NotConnected);
    }
    if (find_asking(caller.badge, server->life.sid, in.service) != nullptr) {
        return refuse(Status::AlreadyExists);
    }
    Asking* const place = free_place(asking_);
    if (place == nullptr) {
        return refuse(Status::OutOfMemory);
    }
    place->call = caller.deferral();
    place->deadline = deadline_after(in.timeoutMs);
    place->sid = caller.badge;
    place->server = server->life.sid;
    place->turn = ++last_turn_;
    place->service_size = static_cast<u32>(in.service.size());
    std::memcpy(place->service, in.service.data(), in.service.size());
    for (Waiting& listening : listening_) {
        if (listening.sid == place->server) {
            tell(listening, *place);
            break;
        }
    }
    return idl::deferred;
}

idl::Outcome<Connections::Listen_Results> Connections::Listen(const idl::Caller& caller,
                                                              const Listen_Arguments& in) {
    Waiting now{
        .call = caller.deferral(), .deadline = deadline_after(in.timeoutMs), .sid = caller.badge};
    if (Asking* const asking = next_for(caller.badge); asking != nullptr) {
        tell(now, *asking);
        return idl::deferred;
    }
    Waiting* const place = free_place(listening_);
    if (place == nullptr) {
        return Listen_Results{.client = {}, .service = {}, .rc = code(Status::OutOfMemory)};
    }
    *place = now;
    return idl::deferred;
}

idl::Outcome<Connections::Drop_Results> Connections::Drop(const idl::Caller& caller,
                                                          const Drop_Arguments& in) {
    Asking* const asking = find_asking(caller.badge, in.client, in.service);
    if (asking == nullptr) {
        return Drop_Results{.rc = code(Status::ResourceNotFound)};
    }
    end(*asking, Status::NotConnected);
    return Drop_Results{.rc = code(Status::Ok)};
}

idl::Outcome<Connections::Accept_Results> Connections::Accept(const idl::Caller& caller,
                                                              const Accept_Arguments& in) {
    Asking* const asking = find_asking(caller.badge, in.client, in.service);
    const Unit* const server = find_sid(caller.badge);
    if (asking == nullptr || server == nullptr) {
        return Accept_Results{.channel = {}, .rc = code(Status::ResourceNotFound)};
    }
    const auto channel = kernel_.connect(0, server->life.task);
    if (!channel.ok()) {
        return Accept_Results{.channel = {}, .rc = code(channel.status())};
    }
    const Status told =
        Connect_reply(asking->call,
                      {.channel = {.handle = channel.value(), .rights = kChannelRights, .badge = 0},
                       .endpoint = in.endpoint,
                       .rc = code(Status::Ok)});
    kernel_.close(channel.value());
    asking->sid = 0;
    return Accept_Results{.channel = {},
                          .rc = code(told == Status::Ok ? Status::Ok : Status::ResourceNotFound)};
}

void Connections::on_task_ended(u64 sid) {
    if (sid == 0) {
        return;
    }
    for (Asking& asking : asking_) {
        if (asking.sid != 0 && (asking.sid == sid || asking.server == sid)) {
            end(asking, Status::NotConnected);
        }
    }
    for (Waiting& listening : listening_) {
        if (listening.sid == sid) {
            listening.sid = 0;
        }
    }
}

void Connections::expire() {
    const u64 now = kernel_.now();
    for (Asking& asking : asking_) {
        if (asking.sid != 0 && asking.deadline <= now) {
            end(asking, Status::Timeout);
        }
    }
    for (Waiting& listening : listening_) {
        if (listening.sid != 0 && listening.deadline <= now) {
            end(listening, Status::Timeout);
        }
    }
}

u64 Connections::next_deadline() const {
    u64 earliest = 0;
    const auto look = [&earliest](const Waiting& waiting) {
        if (waiting.sid != 0 && (earliest == 0 || waiting.deadline < earliest)) {
            earliest = waiting.deadline;
        }
    };
    for (const Asking& asking : asking_) {
        look(asking);
    }
    for (const Waiting& listening : listening_) {
        look(listening);
    }
    return earliest;
}

}  // namespace svc::init
