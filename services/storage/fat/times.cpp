// SPDX-License-Identifier: Apache-2.0
// [FAT] "Date and time formats", taken as UTC.
#include <algorithm>
#include <services/storage/fat/format.hpp>

namespace svc::storage::fat {

namespace {

constexpr s64 kSecond = 1'000'000'000;
constexpr s64 kHundredth = kSecond / 100;
constexpr s64 kDaySeconds = 86400;
constexpr u32 kFirstYear = 1980;
constexpr u32 kLastYear = 2107;
constexpr s64 kLastTimeNs = 4'354'819'199 * kSecond;

constexpr u32 is_leap(u32 year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr u32 days_of(u32 year, u32 month) {
    constexpr std::array<u8, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return kDays[month - 1] + (month == 2 ? is_leap(year) : 0);
}

}  // namespace

DosTime to_dos(s64 ns) {
    const s64 kept = std::clamp(ns, kFirstTimeNs, kLastTimeNs) - kFirstTimeNs;
    u32 days = static_cast<u32>(kept / (kDaySeconds * kSecond));
    u32 year = kFirstYear;
    while (days >= 365 + is_leap(year)) {
        days -= 365 + is_leap(year++);
    }
    u32 month = 1;
    while (days >= days_of(year, month)) {
        days -= days_of(year, month++);
    }
    const u32 seconds = static_cast<u32>(kept / kSecond % kDaySeconds);
    const u32 clock = (seconds / 3600 << 11) | (seconds / 60 % 60 << 5) | (seconds % 60 / 2);
    return {.date = static_cast<u16>(((year - kFirstYear) << 9) | (month << 5) | (days + 1)),
            .time = static_cast<u16>(clock),
            .hundredths = static_cast<u8>(kept % (2 * kSecond) / kHundredth)};
}

s64 from_dos(const DosTime& time) {
    // What is outside of the calendar counts as the nearest day or second inside.
    const u32 last_year = kFirstYear + (time.date >> 9);
    const u32 last_month = std::clamp<u32>(time.date >> 5 & 15, 1, 12);
    u32 days = 0;
    for (u32 year = kFirstYear; year < std::min(last_year, kLastYear); ++year) {
        days += 365 + is_leap(year);
    }
    for (u32 month = 1; month < last_month; ++month) {
        days += days_of(last_year, month);
    }
    days += std::clamp<u32>(time.date & 31, 1, days_of(last_year, last_month)) - 1;
    const u32 seconds = std::min<u32>(time.time >> 11, 23) * 3600 +
                        std::min<u32>(time.time >> 5 & 63, 59) * 60 +
                        std::min<u32>(time.time & 31, 29) * 2;
    return kFirstTimeNs + (s64{days} * kDaySeconds + seconds) * kSecond +
           std::min<s64>(time.hundredths, 199) * kHundredth;
}

s64 Entry::created_ns() const { return from_dos({load16(&raw[16]), load16(&raw[14]), raw[13]}); }

void Entry::set_created_ns(s64 ns) {
    const DosTime time = to_dos(ns);
    store16(&raw[16], time.date);
    store16(&raw[14], time.time);
    raw[13] = time.hundredths;
}

s64 Entry::modified_ns() const { return from_dos({load16(&raw[24]), load16(&raw[22]), 0}); }

void Entry::set_modified_ns(s64 ns) {
    const DosTime time = to_dos(ns);
    store16(&raw[24], time.date);
    store16(&raw[22], time.time);
}

s64 Entry::accessed_ns() const { return from_dos({load16(&raw[18]), 0, 0}); }

void Entry::set_accessed_ns(s64 ns) { store16(&raw[18], to_dos(ns).date); }

}  // namespace svc::storage::fat
