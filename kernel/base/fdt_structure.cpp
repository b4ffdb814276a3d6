// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt_structure.hpp>

namespace base::fdt {

u32 read_cell(const u8* at) {
    return (u32{at[0]} << 24) | (u32{at[1]} << 16) | (u32{at[2]} << 8) | u32{at[3]};
}

u64 read_two_cells(const u8* at) { return (u64{read_cell(at)} << 32) | read_cell(at + 4); }

Text text_of(std::span<const u8> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

u32 terminated_length(const u8* at, u32 limit) {
    u32 length = 0;
    while (length < limit && at[length] != 0) {
        ++length;
    }
    return length;
}

namespace {

Step step_once(const Blob& blob, u32 at) {
    if (!range_fits(at, 4, blob.structure_size)) {
        return {};
    }
    const u8* token = blob.data + blob.structure + at;
    const u32 left = blob.structure_size - at - 4;
    Step result{.token = static_cast<Token>(read_cell(token)), .at = at, .value = {}};
    u64 payload = 0;
    switch (result.token) {
    case Token::BeginNode:
        payload = u64{terminated_length(token + 4, left)} + 1;  // without its NUL beyond the block
        result.value = {token + 4, payload - 1};
        break;
    case Token::Property:
        if (left < 8) {
            return {};
        }
        payload = 8 + u64{read_cell(token + 4)};
        result.name_offset = read_cell(token + 8);
        result.value = {token + 12, payload - 8};
        break;
    case Token::EndNode:
    case Token::Nop:
    case Token::End:
        break;
    default:
        return {};
    }
    const u64 next = u64{at} + 4 + align_up(payload, 4);
    if (next > blob.structure_size) {
        return {};
    }
    result.next = static_cast<u32>(next);
    return result;
}

}  // namespace

Step step(const Blob& blob, u32 at) {
    Step result = step_once(blob, at);
    while (result.token == Token::Nop) {
        result = step_once(blob, result.next);
    }
    return result;
}

Result<Text> property_name(const Blob& blob, u32 offset) {
    if (offset >= blob.strings_size) {
        return Status::InvalidArgument;
    }
    const u8* at = blob.data + blob.strings + offset;
    const u32 limit = blob.strings_size - offset;
    const u32 length = terminated_length(at, limit);
    if (length == limit) {
        return Status::InvalidArgument;
    }
    return text_of({at, length});
}

Status check_structure(const Blob& blob) {
    u32 depth = 0;
    bool saw_root = false;
    bool properties_over = false;  // a property must not follow a child
    u32 at = 0;
    for (;;) {
        const Step token = step(blob, at);
        switch (token.token) {
        case Token::BeginNode:
            if (depth == 0 && (saw_root || !token.value.empty())) {
                return Status::InvalidArgument;  // one root, without a name
            }
            if (text_of(token.value).find('/') != token.value.size()) {
                return Status::InvalidArgument;  // it would make paths ambiguous
            }
            if (depth == kMaxDepth) {
                return Status::BufferTooLarge;
            }
            saw_root = true;
            properties_over = false;
            ++depth;
            break;
        case Token::EndNode:
            if (depth == 0) {
                return Status::InvalidArgument;
            }
            properties_over = true;
            --depth;
            break;
        case Token::Property:
            if (depth == 0 || properties_over || !property_name(blob, token.name_offset).ok()) {
                return Status::InvalidArgument;
            }
            break;
        case Token::End:
            return depth == 0 && saw_root ? Status::Ok : Status::InvalidArgument;
        case Token::Nop:
        case Token::Bad:
            return Status::InvalidArgument;
        }
        at = token.next;
    }
}

}  // namespace base::fdt
