// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/nodes.hpp>

namespace svc::storage::fat {

Nodes::Known* Nodes::find(Node node) {
    for (Known& known : memory_.first(count_)) {
        if (known.value == node.value) {
            return &known;
        }
    }
    return nullptr;
}

Nodes::Known* Nodes::find_at(u64 at) {
    for (Known& known : memory_.first(count_)) {
        if (known.at == at) {
            return &known;
        }
    }
    return nullptr;
}

Nodes::Known& Nodes::add(Node node) {
    if (count_ == memory_.size()) {
        const auto used = memory_.first(count_);
        forget(*std::ranges::find_if(used, [](const Known& known) { return known.at != 0; }));
    }
    Known& known = memory_[count_++];
    known = {.value = node.value};
    return known;
}

void Nodes::forget(Known& known) {
    orphans_ -= known.at == 0 ? 1 : 0;
    const auto index = static_cast<u32>(&known - memory_.data());
    std::copy(memory_.begin() + index + 1, memory_.begin() + count_, memory_.begin() + index);
    --count_;
}

void Nodes::move(u64 from, u64 to, const Entry& entry) {
    if (Known* const known = find_at(from); known != nullptr) {
        known->at = to;
        return;
    }
    if (from != to) {
        add(make(from, entry)).at = to;
    }
}

void Nodes::remove_name(u64 at, const Entry& entry) {
    Known* known = find_at(at);
    known = known == nullptr ? &add(make(at, entry)) : known;
    known->at = 0;
    known->entry = entry;
    ++orphans_;
}

}  // namespace svc::storage::fat
