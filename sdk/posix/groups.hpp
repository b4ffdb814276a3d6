// SPDX-License-Identifier: Apache-2.0
// The functions behind the table, by the file they stand in. What each does is what the manual of
// POSIX says of the function of that name, unless noted here.
#pragma once

#include <sdk/posix/call.hpp>
#include <string_view>

namespace sdk {

class StartBlock;

}

namespace sdk::posix {

// memory.cpp: whole pages, from kl.core.VMM.
s64 map_memory(const Call& call);
s64 unmap_memory(const Call& call);
s64 protect_memory(const Call& call);
/// The program break, which cannot be moved: musl then takes its memory from map_memory.
s64 move_break(const Call& call);
s64 advise_memory(const Call& call);
/// All memory that there is, is resident. -ENOMEM: there is none in some page.
s64 memory_residence(const Call& call);
/// Memory is never moved out, so locked and unlocked are the same. -ENOMEM: there is none in some
/// page.
s64 lock_memory(const Call& call);
s64 lock_all_memory(const Call& call);
/// What is shared is the object itself, and copies of files are not written back.
s64 synchronise_memory(const Call& call);

// threads.cpp
s64 end_thread(const Call& call);
s64 end_process(const Call& call);
s64 set_tid_address(const Call& call);
s64 thread_id(const Call& call);
/// musl goes through the list itself when a thread ends.
s64 keep_robust_list(const Call& call);

// signals.cpp
s64 signal_process(const Call& call);
/// musl's own signal for cancelling ends a wait and does nothing else; its other one, by which it
/// makes all threads do something, is -ENOSYS.
s64 signal_thread(const Call& call);
s64 signal_thread_of_process(const Call& call);
s64 queue_signal(const Call& call);
s64 set_action(const Call& call);
s64 change_mask(const Call& call);
s64 pending_signals(const Call& call);
s64 suspend(const Call& call);
s64 take_awaited_signal(const Call& call);

// handlers.cpp
s64 set_signal_stack(const Call& call);

// timers.cpp
s64 create_timer(const Call& call);
s64 set_timer(const Call& call);
s64 get_timer(const Call& call);
s64 timer_overruns(const Call& call);
s64 delete_timer(const Call& call);
/// Real time only: alarm and ualarm.
s64 set_interval_timer(const Call& call);
s64 get_interval_timer(const Call& call);

// futex.cpp
s64 futex(const Call& call);

// clocks.cpp
s64 clock_time(const Call& call);
/// Real time only; for the whole system.
s64 set_clock(const Call& call);
s64 clock_resolution(const Call& call);
s64 sleep(const Call& call);
s64 clock_sleep(const Call& call);
s64 time_of_day(const Call& call);

// scheduling.cpp
s64 yield(const Call& call);
s64 set_scheduler(const Call& call);
s64 get_scheduler(const Call& call);
s64 set_parameters(const Call& call);
s64 get_parameters(const Call& call);
s64 highest_priority(const Call& call);
s64 lowest_priority(const Call& call);
s64 round_robin_interval(const Call& call);
s64 set_affinity(const Call& call);
s64 get_affinity(const Call& call);

// identity.cpp: a process has a number and a name, and there are no users.
s64 process_id(const Call& call);
s64 parent_id(const Call& call);
s64 user_id(const Call& call);
/// To what they are; -EINVAL: there is no other user.
s64 set_user_id(const Call& call);
s64 further_groups(const Call& call);
/// Each process is its own group and session.
s64 process_group(const Call& call);
s64 system_name(const Call& call);
/// The name of this process, which outlives everything.
void set_process_name(std::string_view name);

// children.cpp: processes that this one has made by posix_spawn (spawn.cpp).
s64 wait_process(const Call& call);
s64 wait_id(const Call& call);

// random.cpp
s64 random_bytes(const Call& call);

// descriptor_calls.cpp: what all kinds of descriptors have in common.
s64 read(const Call& call);
s64 write(const Call& call);
s64 read_vector(const Call& call);
s64 write_vector(const Call& call);
s64 read_at(const Call& call);
s64 write_at(const Call& call);
s64 read_vector_at(const Call& call);
s64 write_vector_at(const Call& call);
s64 seek(const Call& call);
s64 control_device(const Call& call);
/// Advice changes nothing, but is looked at.
s64 advise_descriptor(const Call& call);
s64 status_of_descriptor(const Call& call);
s64 truncate_descriptor(const Call& call);
s64 synchronise_descriptor(const Call& call);
s64 close(const Call& call);
s64 duplicate(const Call& call);
s64 duplicate_to(const Call& call);
s64 control_descriptor(const Call& call);
/// Limits cannot be set; only those of descriptors and of the main stack are known.
s64 resource_limits(const Call& call);

// paths.cpp: what takes paths, for the process that serves files (files.hpp).
s64 open_file(const Call& call);
s64 make_directory(const Call& call);
/// Ordinary files only.
s64 make_node(const Call& call);
s64 unlink_name(const Call& call);
s64 link_name(const Call& call);
s64 rename_name(const Call& call);
s64 make_symbolic_link(const Call& call);
s64 read_symbolic_link(const Call& call);
s64 describe_path(const Call& call);
s64 check_access(const Call& call);
s64 check_access_plainly(const Call& call);
s64 change_mode(const Call& call);
s64 change_mode_of_file(const Call& call);
s64 change_owner(const Call& call);
s64 change_owner_of_file(const Call& call);
s64 change_times(const Call& call);
s64 change_directory(const Call& call);
s64 change_directory_to_file(const Call& call);
s64 change_root(const Call& call);
s64 working_directory(const Call& call);
s64 set_creation_mask(const Call& call);
s64 truncate_path(const Call& call);
s64 describe_file_system(const Call& call);
s64 describe_file_system_of_file(const Call& call);
s64 sync_all(const Call& call);
s64 mount(const Call& call);
s64 unmount(const Call& call);

// file_kind.cpp: what only descriptors of files can.
s64 read_directory(const Call& call);
s64 allocate(const Call& call);
s64 lock_file(const Call& call);

// pipe_calls.cpp: within this process.
s64 create_pipe(const Call& call);
/// Only what musl's mq_notify needs.
s64 create_socket(const Call& call);
s64 create_socket_pair(const Call& call);
s64 send(const Call& call);
s64 receive(const Call& call);
s64 shut_down(const Call& call);

// message_queues.cpp: within this process.
s64 open_queue(const Call& call);
s64 unlink_queue(const Call& call);
s64 send_message(const Call& call);
s64 receive_message(const Call& call);
s64 set_notification(const Call& call);
s64 exchange_attributes(const Call& call);

// poll.cpp
s64 poll(const Call& call);
s64 select(const Call& call);

// output.cpp: the descriptors 0, 1 and 2.
/// Where output goes from now on: the connection "console", if there is one, else the kernel's log.
void open_output(const StartBlock& start);
/// Writes what waits for the end of its line.
void flush_output();

}  // namespace sdk::posix
