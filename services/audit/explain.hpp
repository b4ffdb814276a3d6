// SPDX-License-Identifier: Apache-2.0
// One decision of ksec as one line for a person:
//
//   DENIED  intruder -> valve  plant.Valve.Set  no rule grants it
//   DENIED  operator -> controller  plant.Control.SetTarget  rule plant.psl:31 assert
//           (message.percent <= 80)  [message.percent=100]                      (one line)
//   DENIED  intruder -> controller  plant.Control.Note  malformed: text is not terminated by NUL
//   DENIED  intruder  call with handle 0x00070003, which is not valid for it
//
// Numbers of the record are claims of the kernel about messages of anybody: each is looked up, and
// one that the table does not have is printed as the number.
#pragma once

#include <ksec/verdict.hpp>
#include <runtime/text.hpp>
#include <services/audit/names.hpp>

namespace svc::audit {

/// Names of processes; empty when a SID is not known.
class TaskNames {
public:
    TaskNames() = default;
    TaskNames(const TaskNames&) = delete;
    TaskNames& operator=(const TaskNames&) = delete;
    [[nodiscard]] virtual std::string_view find(u64 sid) = 0;

protected:
    ~TaskNames() = default;
};

/// Appends the line for `record`, without an end.
void explain(const ksec::Record& record, const Names& names, TaskNames& tasks, sdk::Writer& line);

/// Appends "source -> destination  interface.method": the part that decisions of one kind share.
void explain_subject(const ksec::Record& record,
                     const Names& names,
                     TaskNames& tasks,
                     sdk::Writer& line);

}  // namespace svc::audit
