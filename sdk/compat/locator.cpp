// SPDX-License-Identifier: Apache-2.0
// Channels come from the start block. Names of endpoints come from the ROM file `endpoints`, which
// idlc makes of the classes of a solution (sdk/idlc/src/endpoint_table.hpp) and which a process has
// when its component node lists it.
#include <coresrv/sl/sl_api.h>
#include <sdk/compat/locator.hpp>

namespace {

using base::u32;
using base::u8;

constexpr std::string_view kEndpointsFile = "endpoints";

constinit sdk::StartBlock surroundings;

/// Takes `word` and the blank behind it off the line. False, and any line, when it is another word.
bool take_word(std::string_view& line, std::string_view word) {
    if (!line.starts_with(word) || line.size() == word.size() || line[word.size()] != ' ') {
        return false;
    }
    line.remove_prefix(word.size() + 1);
    return true;
}

/// A decimal number below INVALID_RIID; else INVALID_RIID.
nk_iid_t number_of(std::string_view digits) {
    u32 value = digits.empty() ? u32{INVALID_RIID} : 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9' || value >= INVALID_RIID) {
            return INVALID_RIID;
        }
        value = value * 10 + static_cast<u32>(digit - '0');
    }
    return value < INVALID_RIID ? static_cast<nk_iid_t>(value) : INVALID_RIID;
}

nk_iid_t find_endpoint(std::string_view table, std::string_view server, std::string_view endpoint) {
    while (!table.empty()) {
        const auto end = table.find('\n');
        std::string_view line = table.substr(0, end);
        if (take_word(line, server) && take_word(line, endpoint)) {
            return number_of(line);
        }
        table.remove_prefix(end == std::string_view::npos ? table.size() : end + 1);
    }
    return INVALID_RIID;
}

}  // namespace

void sdk::compat::set_surroundings(const StartBlock& start) { surroundings = start; }

extern "C" {

Handle ServiceLocatorConnect(const char* channel) {
    const auto found = surroundings.connection(channel);
    return found.ok() ? found.value() : INVALID_HANDLE;
}

Handle ServiceLocatorRegister(const char* channel,
                              const char* interfaces,
                              nk_size_t count,
                              ServiceId* id) {
    static_cast<void>(channel);
    static_cast<void>(interfaces);
    static_cast<void>(count);
    if (id != nullptr) {
        *id = 0;
    }
    return surroundings.listener();
}

nk_iid_t ServiceLocatorGetRiid(Handle channel, const char* endpoint) {
    const auto server = surroundings.server_class(channel);
    const auto table = surroundings.file(kEndpointsFile);
    if (!server.ok() || !table.ok() || table.value().empty()) {
        return INVALID_RIID;
    }
    const void* const characters = table.value().data();
    return find_endpoint(
        {static_cast<const char*>(characters), table.value().size()}, server.value(), endpoint);
}
}
