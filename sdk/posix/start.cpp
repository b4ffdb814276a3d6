// SPDX-License-Identifier: Apache-2.0
// From the start block to main(argc, argv, envp): lays out on the stack what musl expects there, a
// row of words: argc, arguments, 0, environment, 0, pairs of the auxiliary vector, 0, 0. Behind it
// stand the texts.
#include <bit>
#include <runtime/process.hpp>
#include <runtime/stack_guard.hpp>
#include <runtime/start_block.hpp>
#include <sdk/posix/files.hpp>
#include <sdk/posix/groups.hpp>
#include <sdk/posix/programs.hpp>

using base::s32;
using base::u16;
using base::u64;

extern "C" {
using Main = s32 (*)(s32 argc, char** argv, char** envp);
s32 __libc_start_main(Main main, s32 argc, char** argv, void (*)(), void (*)(), void (*)());
/// Of the program: its ELF header, which its linker script puts into its first segment.
extern const base::u8 __ehdr_start[];

/// Bytes that tessera_posix_start needs on the stack, a multiple of 16.
u64 tessera_posix_start_size(const void* block);
[[noreturn]] void tessera_posix_start(const void* block, u64* words, Main main);
}

namespace {

// [ELF] "ELF Header", "Auxiliary Vector"
constexpr u64 kProgramHeaders = 32;
constexpr u64 kProgramHeaderSize = 54;
constexpr u64 kProgramHeaderCount = 56;
constexpr u64 kPageSize = 4096;

enum Auxiliary : u64 {
    kHeaders = 3,
    kHeaderSize = 4,
    kHeaderCount = 5,
    kPage = 6,
    kTicks = 17,
    kRandom = 25,
    kName = 31,
};

constexpr u64 kTicksPerSecond = 100;
constexpr u64 kAuxiliaryWords = 2 * 8;

template <typename T> T header_field(u64 offset) {
    T value = 0;
    __builtin_memcpy(&value, __ehdr_start + offset, sizeof(value));
    return value;
}

sdk::StartBlock open(const void* block) {
    const auto& header = *static_cast<const sdk::start::Header*>(block);
    const auto start =
        sdk::StartBlock::open({static_cast<const base::u8*>(block), header.total_size});
    if (!start.ok()) {
        sdk::debug_write("posix: no valid start block");
        sdk::exit_process(sdk::kExitNoStartBlock);
    }
    return start.value();
}

/// Copies texts of the start block, which is read only, to where the program may change them.
class Texts final {
public:
    explicit Texts(u64* begin) : at_(static_cast<char*>(static_cast<void*>(begin))) {}

    u64 put(std::string_view text) {
        char* const begin = at_;
        __builtin_memcpy(begin, text.data(), text.size());
        begin[text.size()] = '\0';
        at_ += text.size() + 1;
        return std::bit_cast<u64>(begin);
    }

private:
    char* at_;
};

/// The row of words: the count, the program's name, a zero behind each of the two lists.
u64 count_words(const sdk::StartBlock& start) {
    return 4 + u64{start.argument_count()} + start.environment_count() + kAuxiliaryWords;
}

u64 count_characters(const sdk::StartBlock& start) {
    u64 count = start.program().size() + 1;
    for (base::u32 i = 0; i < start.argument_count(); ++i) {
        count += start.argument(i).size() + 1;
    }
    for (base::u32 i = 0; i < start.environment_count(); ++i) {
        count += start.environment_text(i).size() + 1;
    }
    return count;
}

void put_auxiliary(u64* word, const sdk::StartBlock& start, u64 name) {
    const u64 base = std::bit_cast<u64>(&__ehdr_start[0]);
    const u64 pairs[kAuxiliaryWords]{kHeaders,
                                     base + header_field<u64>(kProgramHeaders),
                                     kHeaderSize,
                                     header_field<u16>(kProgramHeaderSize),
                                     kHeaderCount,
                                     header_field<u16>(kProgramHeaderCount),
                                     kPage,
                                     kPageSize,
                                     kTicks,
                                     kTicksPerSecond,
                                     kRandom,
                                     std::bit_cast<u64>(start.seed().data()),
                                     kName,
                                     name,
                                     0,
                                     0};
    for (const u64 each : pairs) {
        *word++ = each;
    }
}

void put_row(u64* word, const sdk::StartBlock& start) {
    Texts texts{word + count_words(start)};
    const u64 name = texts.put(start.program());
    *word++ = u64{start.argument_count()} + 1;
    *word++ = name;
    for (base::u32 i = 0; i < start.argument_count(); ++i) {
        *word++ = texts.put(start.argument(i));
    }
    *word++ = 0;
    for (base::u32 i = 0; i < start.environment_count(); ++i) {
        *word++ = texts.put(start.environment_text(i));
    }
    *word++ = 0;
    put_auxiliary(word, start, name);
}

}  // namespace

u64 tessera_posix_start_size(const void* block) {
    const auto start = open(block);
    return (count_words(start) * sizeof(u64) + count_characters(start) + 15) & ~u64{15};
}

void tessera_posix_start(const void* block, u64* words, Main main) {
    sdk::set_stack_guard(static_cast<const sdk::start::Header*>(block)->guard);
    const auto start = open(block);
    sdk::posix::keep_start(start);
    sdk::posix::set_process_name(start.task());
    sdk::posix::open_output(start);
    sdk::posix::files::open_backend(start);
    put_row(words, start);
    const auto count = static_cast<s32>(words[0]);
    (void)__libc_start_main(
        main, count, std::bit_cast<char**>(words + 1), nullptr, nullptr, nullptr);
    __builtin_trap();
}
