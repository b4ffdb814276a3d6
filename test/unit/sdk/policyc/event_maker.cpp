// SPDX-License-Identifier: Apache-2.0
#include "event_maker.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace policyc_test {

namespace {

using Kind = sdk::lang::Type::Kind;

}  // namespace

EventMaker::EventMaker(const Policy& policy, std::uint64_t seed) : policy_(policy), random_(seed) {
    for (const psl::Binding* const binding : policy.bindings) {
        collect(binding->items);
        if (binding->event == psl::EventKind::Request) {
            requests_.push_back(binding);
        }
    }
    for (const auto& [name, object] : policy.objects) {
        if (const auto* const map = std::get_if<StaticMapConfig>(&object.config)) {
            for (const auto& [key, value] : map->keys) {
                texts_.push_back(key);
            }
        } else if (const auto* const window = std::get_if<TimeWindowConfig>(&object.config)) {
            windows_.push_back(window);
        }
    }
}

void EventMaker::collect(const psl::Items& items) {
    for (const psl::Item& item : items) {
        if (const auto* const call = std::get_if<psl::RuleCall>(&item.node)) {
            collect(*call->argument);
        } else if (const auto* const match = std::get_if<psl::Match>(&item.node)) {
            collect(match->items);
        } else {
            const psl::Choice& choice = std::get<psl::Choice>(item.node);
            collect(*choice.subject);
            for (const psl::Case& entry : choice.cases) {
                if (entry.key == psl::Case::Key::Integer) {
                    numbers_.push_back(entry.integer.low_bits());
                } else if (entry.key == psl::Case::Key::Text) {
                    texts_.push_back(entry.text);
                }
                collect(entry.items);
            }
        }
    }
}

void EventMaker::collect(const psl::Expression& expression) {
    if (expression.kind == psl::Expression::Kind::Integer) {
        numbers_.push_back(expression.integer.low_bits());
    } else if (expression.kind == psl::Expression::Kind::Text) {
        texts_.push_back(expression.text);
    }
    for (const psl::ExpressionPtr& child : expression.children) {
        collect(*child);
    }
    for (const psl::DictEntry& entry : expression.entries) {
        collect(*entry.value);
    }
}

/// Mostly by little; at times to where a window of a later period begins or ends.
void EventMaker::advance() {
    now_ns_ += one_in(50) ? below(4'000'000'000) : below(3'000'000);
    if (windows_.empty() || !one_in(200)) {
        return;
    }
    const TimeWindowConfig& config = *windows_[below(windows_.size())];
    const TimeWindowConfig::Window& window = config.windows[below(config.windows.size())];
    const std::uint64_t at = config.origin_ns + (one_in(2) ? window.from_ns : window.to_ns);
    const std::uint64_t period = std::max<std::uint64_t>(config.period_ns, 1);
    const std::uint64_t periods = now_ns_ < at ? 0 : (now_ns_ - at) / period + 1;
    if (periods == 0 || config.period_ns != 0) {
        now_ns_ = at + periods * period;
    }
}

/// Picks rules on requests, and what they select; what they do not select may be anything.
void EventMaker::begin_story() {
    is_story_ = !requests_.empty() && one_in(2);
    if (!is_story_) {
        return;
    }
    focus_sid_ = below(kSids);
    std::string endpoint;
    std::string method;
    for (const psl::Selector& selector : requests_[below(requests_.size())]->selectors) {
        const std::string value = selector.value.text();
        const auto found = std::ranges::find(policy_.classes, value, &PolicyClass::name);
        const auto id = static_cast<std::uint16_t>(found - policy_.classes.begin());
        focus_class_ = selector.kind == psl::SelectorKind::Src ? id : focus_class_;
        story_server_ = selector.kind == psl::SelectorKind::Dst ? id : story_server_;
        endpoint = selector.kind == psl::SelectorKind::Endpoint ? value : endpoint;
        method = selector.kind == psl::SelectorKind::Method ? value : method;
    }
    story_.clear();
    const auto& endpoints = policy_.classes[story_server_].description->endpoints;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const auto& methods = endpoints[i].interface->methods;
        for (std::size_t k = 0; k < methods.size(); ++k) {
            if ((endpoint.empty() || endpoint == endpoints[i].path) &&
                (method.empty() || method == methods[k].name)) {
                story_.emplace_back(i, k);
            }
        }
    }
    is_story_ = !story_.empty();
}

InterpretedEvent EventMaker::make() {
    if (one_in(128)) {
        begin_story();
    } else if (!is_story_ && one_in(16)) {
        focus_sid_ = below(kSids);
        focus_class_ = static_cast<std::uint16_t>(below(policy_.classes.size()));
    }
    InterpretedEvent event;
    constexpr ksec::Event kEvents[] = {ksec::Event::Request,
                                       ksec::Event::Request,
                                       ksec::Event::Request,
                                       ksec::Event::Response,
                                       ksec::Event::Response,
                                       ksec::Event::Error,
                                       ksec::Event::Security,
                                       ksec::Event::Execute};
    const bool is_told = is_story_ && !one_in(8);
    event.event = is_told ? ksec::Event::Request : kEvents[below(std::size(kEvents))];
    const auto classes = policy_.classes.size();
    event.src_class =
        is_told || one_in(2) ? focus_class_ : static_cast<std::uint16_t>(below(classes));
    event.dst_class = is_told ? story_server_ : static_cast<std::uint16_t>(below(classes));
    event.src_sid = is_told ? focus_sid_ : sid();
    event.dst_sid = sid();
    advance();
    event.now_ns = now_ns_;
    if (event.event == ksec::Event::Execute) {
        return event;
    }
    if (is_told) {
        std::tie(event.endpoint, event.method) = story_[below(story_.size())];
    } else {
        choose_method(event);
    }
    const lang::Method* const method = find_method(policy_, event);
    if (method != nullptr) {
        fill(event,
             event.event == ksec::Event::Response ? method->response
             : event.event == ksec::Event::Error  ? method->error
                                                  : method->request);
    }
    if (one_in(is_story_ ? 20 : 3)) {
        spoil(event);
    }
    return event;
}

/// Mostly a method that the server has; classes without endpoints get one more chance.
void EventMaker::choose_method(InterpretedEvent& event) {
    std::uint16_t& owner = event.event == ksec::Event::Request ? event.dst_class : event.src_class;
    for (int attempt = 0; attempt < 6; ++attempt) {
        const lang::ProcessClass& description = *policy_.classes[owner].description;
        const bool is_security = event.event == ksec::Event::Security;
        const std::size_t count =
            is_security ? description.security.size() : description.endpoints.size();
        if (count != 0) {
            event.endpoint = static_cast<std::uint16_t>(below(count));
            const lang::Package& interface = is_security
                                                 ? *description.security[event.endpoint].interface
                                                 : *description.endpoints[event.endpoint].interface;
            event.method = static_cast<std::uint16_t>(below(interface.methods.size()));
            break;
        }
        owner = static_cast<std::uint16_t>(below(policy_.classes.size()));
    }
    if (one_in(12)) {
        event.endpoint = static_cast<std::uint16_t>(0xFFF0 + below(4));
        event.method = 0;
        if (one_in(2)) {
            (event.event == ksec::Event::Request ? event.src_class : event.dst_class) =
                policy_.core_class;
        }
    }
    if (one_in(40)) {
        event.method = static_cast<std::uint16_t>(random_());
    }
    if (one_in(40)) {
        event.endpoint = static_cast<std::uint16_t>(random_());
    }
    if (one_in(80)) {
        owner = static_cast<std::uint16_t>(random_());
    }
}

void EventMaker::fill(InterpretedEvent& event, const lang::Message& message) {
    event.travels_long = !message.is_short();
    event.fixed.assign(message.fixed_size, 0);
    arena_.clear();
    for (const lang::Field& field : message.fields) {
        fill(event.fixed, field.offset, field.type());
    }
    event.arena = arena_;
    for (std::uint32_t i = 0; i < message.handle_count; ++i) {
        event.handle_sids.push_back(sid());
        event.handle_rights.push_back(static_cast<std::uint32_t>(below(200)));
    }
}

void EventMaker::put(std::vector<std::uint8_t>& part,
                     std::size_t at,
                     std::uint64_t value,
                     unsigned size) {
    for (unsigned i = 0; i < size && at + i < part.size(); ++i) {
        part[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

/// Small numbers, numbers at the limits of the type, those of the policy, and any.
std::uint64_t EventMaker::number(unsigned bits) {
    switch (is_story_ && !one_in(4) ? 6 : below(7)) {
    case 0:
        return below(12);
    case 1:
        return std::uint64_t{0} - below(12);
    case 2:
        return (std::uint64_t{1} << (bits - 1)) - 1 + below(3);
    case 3:
        return below(300);
    case 4:
        return random_();
    case 5:
        return numbers_.empty() ? below(4) : numbers_[below(numbers_.size())];
    default:
        return below(is_story_ ? 8 : 4);
    }
}

std::string EventMaker::text(std::uint32_t most) {
    static const std::vector<std::string> kWords{"",
                                                 "secret",
                                                 "secre",
                                                 "secrets",
                                                 "lion",
                                                 "yes",
                                                 "no",
                                                 "keeper",
                                                 "\xC3\xA4\xE2\x82\xAC",
                                                 "x"};
    std::string result =
        !texts_.empty() && one_in(2) ? texts_[below(texts_.size())] : kWords[below(kWords.size())];
    if (one_in(6)) {
        result = std::string(most, 'a');
    }
    return result.size() > most ? std::string(most, 'b') : result;
}

void EventMaker::fill(std::vector<std::uint8_t>& part, std::size_t at, const lang::Type& type) {
    switch (type.kind) {
    case Kind::Integer:
        put(part, at, number(type.bits), type.bits / 8u);
        break;
    case Kind::Handle:
        put(part, at, random_(), 8);
        break;
    case Kind::Struct:
        for (const lang::Field& field : type.fields) {
            fill(part, at + field.offset, field.type());
        }
        break;
    case Kind::Union: {
        const std::uint64_t member = below(type.fields.size());
        put(part, at, member, 4);
        fill(part, at + type.fields[member].offset, type.fields[member].type());
        break;
    }
    case Kind::List: {
        const std::uint64_t count = below(type.count + 1);
        put(part, at, one_in(30) ? type.count + 1 : count, 4);
        for (std::uint64_t i = 0; i < count; ++i) {
            fill(part, at + sdk::lang::kListHeader + i * type.stride(), *type.element.type);
        }
        break;
    }
    case Kind::Array:
        for (std::uint32_t i = 0; i < type.count; ++i) {
            fill(part, at + std::size_t{i} * type.stride(), *type.element.type);
        }
        break;
    case Kind::Bytes:
    case Kind::String:
    case Kind::Sequence:
        fill_range(part, at, type);
        break;
    }
}

void EventMaker::fill_range(std::vector<std::uint8_t>& part,
                            std::size_t at,
                            const lang::Type& type) {
    std::string bytes;
    if (type.kind == Kind::String) {
        bytes = text(type.count);
        bytes.resize(bytes.empty() && one_in(2) ? 0 : bytes.size() + 1);
    } else {
        bytes.resize(below(type.count + 1) * type.stride());
    }
    if (!one_in(4)) {
        arena_.resize((arena_.size() + 7) / 8 * 8);
    } else {
        arena_.resize((arena_.size() + type.range_alignment() - 1) / type.range_alignment() *
                      type.range_alignment());
    }
    const std::size_t begin = arena_.size();
    arena_.insert(arena_.end(), bytes.begin(), bytes.end());
    const bool is_in_arena = &part == &arena_;
    put(is_in_arena ? arena_ : part, at, begin, 4);
    put(is_in_arena ? arena_ : part, at + 4, bytes.size(), 4);
    if (type.kind == Kind::Bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            arena_[begin + i] = static_cast<std::uint8_t>(below(9));
        }
    } else if (type.kind == Kind::Sequence) {
        for (std::size_t i = 0; i < bytes.size(); i += type.stride()) {
            fill(arena_, begin + i, *type.element.type);
        }
    }
}

/// Breaks something, or only looks like it.
void EventMaker::spoil(InterpretedEvent& event) {
    const auto flip = [this](std::vector<std::uint8_t>& part) {
        if (!part.empty()) {
            std::uint8_t& byte = part[below(part.size())];
            byte = one_in(2) ? static_cast<std::uint8_t>(random_())
                             : static_cast<std::uint8_t>(byte + 1 + 7 * below(2));
        }
    };
    switch (below(8)) {
    case 0:
        event.fixed.resize(event.fixed.size() + 8);
        break;
    case 1:
        event.fixed.resize(event.fixed.size() < 8 ? 0 : event.fixed.size() - 8);
        break;
    case 2:
        event.arena.resize(event.arena.size() / 2);
        break;
    case 3:
        event.arena.resize(event.arena.size() + below(200));
        break;
    case 4:
        event.travels_long = !event.travels_long;
        break;
    case 5:
        event.handle_sids.push_back(1);
        event.handle_rights.push_back(1);
        break;
    default:
        flip(one_in(2) ? event.fixed : event.arena);
        flip(event.arena);
        flip(event.fixed);
        break;
    }
}

}  // namespace policyc_test
