// SPDX-License-Identifier: Apache-2.0
// An object of a model as an entry of Policy::objects.
#pragma once

#include <concepts>
#include <ksec/format/tables.hpp>
#include <ksec/models/journal.hpp>

namespace ksec::models {

/// A model that keeps state for each SID.
template <typename T>
concept SidModel = requires(const T& model, Journal& journal, u64 sid) {
    { model.ended(journal, sid) } -> std::same_as<void>;
};

template <SidModel Model> void end_sid(const void* object, Journal& journal, u64 sid) {
    static_cast<const Model*>(object)->ended(journal, sid);
}

/// The entry of `object`, which must live as long as the policy.
template <SidModel Model> constexpr format::ModelObject model_object(const Model& object) {
    return {&object, end_sid<Model>};
}

}  // namespace ksec::models
