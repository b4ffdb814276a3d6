// SPDX-License-Identifier: Apache-2.0
#include "recording.hpp"

#include "verdict_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <kernel/abi/call.hpp>
#include <ksec/verdict.hpp>
#include <optional>
#include <runtime/recording.hpp>
#include <string_view>
#include <vector>

namespace sdk::policy {

namespace {

using policyc::LoweredClass;
using policyc::LoweredEndpoint;

constexpr std::size_t kNumbers = 9;  // in a record

/// Words between single blanks.
std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

bool parse(std::string_view word, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size();
}

std::optional<EventKind> event_of(std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(ksec::Event::Execute)) {
        return std::nullopt;
    }
    return kind_of(static_cast<ksec::Event>(number));
}

class Reader final {
public:
    Reader(const std::string& name, const policyc::Compilation& policy)
        : name_(name), lowered_(policy.lowered()),
          version_(fmt::format("{} {} ", sdk::kRecordingHeader, sdk::kRecordingVersion)),
          header_(fmt::format("{}{:#018x}", version_, policy.lowered().hash)) {}

    Result<Recording> run(std::string_view text) {
        for (; !text.empty(); ++line_) {
            const std::size_t end = text.find('\n');
            if (end == std::string_view::npos) {
                recording_.is_cut_off = true;
                break;
            }
            std::string_view line = text.substr(0, end);
            text.remove_prefix(end + 1);
            if (line.ends_with('\r')) {
                line.remove_suffix(1);
            }
            const bool is_header = line.starts_with(sdk::kRecordingHeader);
            if (!is_header && !has_header_) {
                break;
            }
            if (is_header && !line.starts_with(version_)) {
                return trouble("a recording of another version");
            }
            if (!take_crc(line, is_header ? 0 : crc_)) {
                return trouble("damaged: the CRC of this line and those before it is another");
            }
            if (is_header ? line != header_ : !take(line)) {
                return is_header ? other_policy() : trouble("this is no record");
            }
            has_header_ = true;
        }
        if (!has_header_) {
            return Trouble{.cause = name_ + " is no recording of a run",
                           .way_out = "make one with ./tessera run --record FILE"};
        }
        return std::move(recording_);
    }

private:
    [[nodiscard]] Trouble trouble(const char* what) const {
        return {.cause = fmt::format("{}:{}: {}", name_, line_, what),
                .way_out = "record again with ./tessera run --record FILE"};
    }

    [[nodiscard]] Trouble other_policy() const {
        return {.cause = fmt::format("{} was recorded under another policy, or this one has "
                                     "changed since",
                                     name_),
                .way_out = "name the policy of that run with -p FILE, as it and all that it uses "
                           "were then, or record again"};
    }

    /// Takes the CRC off the end of a line. False: it is not that of the line behind those that
    /// have the CRC `before`.
    bool take_crc(std::string_view& line, std::uint32_t before) {
        const std::size_t end = std::min(line.rfind(' '), line.size());
        const std::string_view text = line.substr(0, end);
        crc_ = sdk::continue_crc32(before, text);
        const bool is_right = line.substr(end) == fmt::format(" {:#010x}", crc_);
        line = text;
        return is_right;
    }

    bool take(std::string_view line) {
        const std::vector<std::string_view> words = split(line);
        std::array<std::uint64_t, kNumbers> numbers{};
        if (words.size() != kNumbers + 1 || words[0] != "record") {
            return false;
        }
        for (std::size_t i = 0; i < kNumbers; ++i) {
            if (!parse(words[i + 1], numbers[i])) {
                return false;
            }
        }
        const auto [sequence, event, granted, reason, source, target, endpoint, method, lost] =
            numbers;
        const bool is_grant = reason == static_cast<std::uint64_t>(ksec::Reason::Audited) ||
                              reason == static_cast<std::uint64_t>(ksec::Reason::Recorded);
        if (granted != (is_grant ? 1 : 0) || sequence <= last_) {
            return false;
        }
        ++recording_.record_count;
        recording_.lost_count += std::max(lost, sequence - last_ - 1);
        last_ = sequence;
        if (reason == static_cast<std::uint64_t>(ksec::Reason::BadHandle) ||
            reason == static_cast<std::uint64_t>(ksec::Reason::BadToken)) {
            ++recording_.misuse_count;
            return true;
        }
        const std::optional<EventKind> kind = event_of(event);
        if (!kind || source >= lowered_.classes.size()) {
            return false;
        }
        Recorded record{.event = *kind, .source = lowered_.classes[source].name};
        if (*kind != EventKind::Security) {
            if (target >= lowered_.classes.size()) {
                return false;
            }
            record.target = lowered_.classes[target].name;
        }
        const bool is_answer = *kind == EventKind::Response || *kind == EventKind::Error;
        const std::uint64_t owner = is_answer || *kind == EventKind::Security ? source : target;
        record.question = {.event = *kind,
                           .client = static_cast<std::uint16_t>(is_answer ? target : source),
                           .server = static_cast<std::uint16_t>(owner)};
        if (*kind != EventKind::Execute &&
            !name_method(lowered_.classes[owner], *kind, endpoint, method, record)) {
            return granted == 0;  // a method that does not exist was denied
        }
        (granted == 1 ? recording_.granted : recording_.denied).insert(std::move(record));
        return true;
    }

    bool name_method(const LoweredClass& owner,
                     EventKind kind,
                     std::uint64_t endpoint,
                     std::uint64_t method,
                     Recorded& record) const {
        const bool is_implicit = endpoint >= abi::kIrqEndpoint;
        const std::vector<LoweredEndpoint>& list = kind == EventKind::Security ? owner.security
                                                   : is_implicit ? lowered_.implicit_endpoints
                                                                 : owner.endpoints;
        const std::uint64_t index = is_implicit ? endpoint - abi::kIrqEndpoint : endpoint;
        if (index >= list.size() || method >= list[index].methods.size()) {
            return false;
        }
        record.endpoint = list[index].path;
        record.interface = list[index].interface;
        record.method = list[index].methods[method].name;
        record.question.endpoint = static_cast<std::uint16_t>(index);
        record.question.method = static_cast<std::uint16_t>(method);
        record.question.is_implicit = is_implicit;
        return true;
    }

    const std::string& name_;
    const policyc::Lowered& lowered_;
    std::string version_;  // what a first line begins with
    std::string header_;
    Recording recording_;
    std::size_t line_ = 1;
    std::uint64_t last_ = 0;  // sequence number
    std::uint32_t crc_ = 0;   // of the lines since the header
    bool has_header_ = false;
};

}  // namespace

Result<Recording> read_recording(const std::string& text,
                                 const std::string& name,
                                 const policyc::Compilation& policy) {
    return Reader(name, policy).run(text);
}

}  // namespace sdk::policy
