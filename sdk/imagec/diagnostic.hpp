// SPDX-License-Identifier: Apache-2.0
// What imagec says when it refuses: where, why, and the way out. Every kind of refusal has a number
// that stays (tests and manuals name it); the text around it may become better.
//
// Failure is a value here (Outcome), since most functions have several ways to fail and all of them
// are ordinary. Exceptions of the libraries used are caught where the library is called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sdk::imagec {

/// The kinds of refusal. Numbers are never reused.
enum class Code : std::uint32_t {
    // 1xx: files and the command line
    FileUnreadable = 101,
    FileUnwritable = 102,
    FileTooLarge = 103,
    ToolMissing = 104,
    ToolFailed = 105,
    OptionInvalid = 106,
    // 2xx: ELF inputs
    NotElf = 201,
    ElfWrongMachine = 202,
    ElfWrongType = 203,
    ElfTruncated = 204,
    ElfSegmentBounds = 205,
    ElfSegmentWriteExecute = 206,
    ElfSegmentAlignment = 207,
    ElfSegmentsOverlap = 208,
    ElfTooManySegments = 209,
    ElfAddressOutOfRange = 210,
    ElfEntryInvalid = 211,
    ElfDynamicInvalid = 212,
    ElfRelocationUnsupported = 213,
    ElfNeedsLoader = 214,
    ElfExecutableStack = 215,
    ElfThreadLocal = 216,
    // 3xx: the kernel's flat binary and finished images
    KernelNotImage = 301,
    KernelSizeMismatch = 302,
    ImageTooLarge = 303,
    PayloadMissing = 304,
    PayloadInvalid = 305,
    SegmentImageInvalid = 306,
    RomfsInvalid = 307,
    RomfsNameInvalid = 308,
    RomfsNameTwice = 309,
    RomfsTooManyFiles = 310,
    ProgramMissing = 311,
    // 4xx: init.yaml
    YamlSyntax = 401,
    YamlToken = 402,
    YamlShape = 403,
    YamlUnknownKey = 404,
    YamlKeyTwice = 405,
    YamlValueInvalid = 406,
    EntityNameMissing = 407,
    TaskTwice = 408,
    ConnectionTargetUnknown = 409,
    ConnectionTwice = 410,
    ConnectionIdUnknown = 411,
    TooManyTasks = 412,
    // 5xx: device trees
    TreeInvalid = 501,
    TreeTooDeep = 502,
    ComponentUnknown = 503,
    ComponentProperty = 504,
    ComponentConflict = 505,
    DeviceUnknown = 506,
    DeviceDisabled = 507,
    DeviceTakenTwice = 508,
    DeviceSharesPage = 509,
    DeviceSharesInterrupt = 510,
    DeviceOfKernel = 511,
    DeviceRegInvalid = 512,
    MemoryBudget = 513,
    CpuBudgets = 514,
    // 6xx: SD card
    CardTooSmall = 601,
    CardFileMissing = 602,
};

/// One refusal. `line` and `column` count from 1; 0 means the whole file.
struct Diagnostic {
    Code code{};
    std::string file{};
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string cause{};
    std::string way_out{};
};

/// The text for people: file:line:column, cause, the source line with a caret when the file can be
/// read, and the way out.
std::string render(const Diagnostic& diagnostic);

/// The texts of all of them, one after the other.
std::string render(const std::vector<Diagnostic>& diagnostics);

/// A value, or the Diagnostics that say why there is none.
template <typename T> class [[nodiscard]] Outcome final {
public:
    Outcome(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

    Outcome(Diagnostic failure)  // NOLINT(google-explicit-constructor)
        : failures_{std::move(failure)} {}

    /// At least one.
    Outcome(std::vector<Diagnostic> failures)  // NOLINT(google-explicit-constructor)
        : failures_(std::move(failures)) {}

    [[nodiscard]] bool ok() const { return value_.has_value(); }

    /// Only after ok().
    [[nodiscard]] T& value() { return *value_; }

    [[nodiscard]] const T& value() const { return *value_; }

    /// The first of failures().
    [[nodiscard]] const Diagnostic& failure() const { return failures_.front(); }

    /// In the order in which they were found. Only after !ok().
    [[nodiscard]] const std::vector<Diagnostic>& failures() const { return failures_; }

private:
    std::optional<T> value_{};
    std::vector<Diagnostic> failures_{};
};

struct Done {};

/// Outcome of an action without a value.
using Completion = Outcome<Done>;

}  // namespace sdk::imagec

/// Passes the failures of `expression` on to the caller; otherwise goes on.
#define IMAGEC_TRY(expression)                                                                     \
    do {                                                                                           \
        if (auto outcome_ = (expression); !outcome_.ok()) {                                        \
            return outcome_.failures();                                                            \
        }                                                                                          \
    } while (false)

/// As IMAGEC_TRY, and names the value.
#define IMAGEC_JOIN_(a, b) a##b
#define IMAGEC_JOIN(a, b) IMAGEC_JOIN_(a, b)
#define IMAGEC_TRY_VALUE(declaration, expression)                                                  \
    auto IMAGEC_JOIN(outcome_, __LINE__) = (expression);                                           \
    if (!IMAGEC_JOIN(outcome_, __LINE__).ok()) {                                                   \
        return IMAGEC_JOIN(outcome_, __LINE__).failures();                                         \
    }                                                                                              \
    declaration = std::move(IMAGEC_JOIN(outcome_, __LINE__).value())
