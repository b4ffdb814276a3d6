// SPDX-License-Identifier: Apache-2.0
// Pieces that checking the configs of all models is made of; private to objects.cpp and
// objects_tessera.cpp.
#pragma once

#include "dictionary.hpp"
#include "objects.hpp"

namespace sdk::policyc {

/// Reads one object's types and config; reports everything wrong with them.
class ObjectReader final {
public:
    ObjectReader(const psl::PolicyObject& node, lang::Diagnostics& diagnostics)
        : node_(node), diagnostics_(diagnostics) {}

    /// The config; null after reporting that there is none.
    const psl::Expression* config();

    Dictionary dictionary(const psl::Expression& config, const std::vector<const char*>& keys);

    /// Reports a value: `what` must be `needed`.
    void wrong(const psl::Expression& value, const std::string& what, const std::string& needed);

    /// The type of this name; null when it is missing, which is reported.
    const psl::TypeExpression* type(const char* name);

    /// A list of different texts.
    std::vector<std::string> names(const psl::Expression& list, const std::string& what);

    /// The number of a name in a list; 0 after reporting one that is not there.
    std::size_t number_of(const std::string& name,
                          const lang::Span& span,
                          const char* what,
                          const std::vector<std::string>& among);

    /// Numbers of the names in a list of texts, in the order written.
    std::vector<std::size_t> numbers_of(const psl::Expression& list,
                                        const std::string& key,
                                        const char* what,
                                        const std::vector<std::string>& among);

    /// A number from `least` to `most`; `least` after reporting another, or for null.
    std::uint64_t
    number(const psl::Expression* value, const char* what, std::int64_t least, std::int64_t most);

    /// Reports more of something than fits.
    void limit(const psl::Expression& list, std::size_t count, std::size_t most, const char* what);

private:
    const psl::PolicyObject& node_;
    lang::Diagnostics& diagnostics_;
};

/// The configs of the models of our own.
RbacConfig read_rbac(ObjectReader& reader);
RateLimitConfig read_rate_limit(ObjectReader& reader);
TimeWindowConfig read_time_window(ObjectReader& reader);

}  // namespace sdk::policyc
