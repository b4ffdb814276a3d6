// SPDX-License-Identifier: Apache-2.0
// Every kind of type and name, compiled as programs for the machine are: freestanding, all
// warnings.
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Task.client.hpp>
#include <lab/Client.edl.hpp>
#include <lab/Every.client.hpp>
#include <lab/Every.server.hpp>
#include <lab/Panel.edl.hpp>
#include <lab/Plant.edl.hpp>
#include <lab/Valve.client.hpp>

static_assert(lab::Every::Least < -9'223'372'036'854'775'807);
static_assert(lab::Every::Most == 18'446'744'073'709'551'615u);
static_assert(lab::Every::Small == -4);
static_assert(lab::Valve::kSet_RequestArenaMax == 72);
static_assert(lab::Plant::endpoint::act_valve == 0);
static_assert(lab::Plant::security::self == 0);
static_assert(kl::core::Core::endpoint::vmm_VMM == 0);

base::u8 use_everything(lab::Valve::Proxy& valve, lab::Every::Proxy& every);

base::u8 use_everything(lab::Valve::Proxy& valve, lab::Every::Proxy& every) {
    const lab::Every::Value value = lab::Every::Value::make_number(1);
    const bool good = valve.Set(40, "x").ok() && every.unions(value, {}).ok() &&
                      every.handles(1, 2).ok() && every.bytes({}).ok();
    return good ? valve.until(1).Set(1, {}).value().ok : base::u8{0};
}
