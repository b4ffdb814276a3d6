// SPDX-License-Identifier: Apache-2.0
// Where posix_spawn finds programs, and what it may make of them. The one place that knows where
// the bytes of a program come from: at present the files of the image that the process was given
// (`files` of its component node), under their names; a leading '/' is passed over.
#pragma once

#include <runtime/start_block.hpp>
#include <sdk/posix/call.hpp>
#include <span>
#include <string_view>

namespace sdk::posix {

/// Keeps what the process found at its start, which stays where it is.
void keep_start(const StartBlock& start);
const StartBlock& own_start();

/// The bytes of a program, for as long as the process lives. ResourceNotFound.
Result<std::span<const u8>> find_program(std::string_view path);

/// The environment variable that says of which class a process of a program is:
/// "PROGRAM=CLASS PROGRAM=CLASS ...", or "*=CLASS" for all that are not named. Read from the start
/// block: what the program does to its environment later changes nothing.
inline constexpr std::string_view kClassTable = "SPAWN_CLASSES";

/// The class of a process of a program, by that table. ResourceNotFound: it does not say.
Result<std::string_view> find_class(std::string_view path);

}  // namespace sdk::posix
