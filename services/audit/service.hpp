// SPDX-License-Identifier: Apache-2.0
// From records to lines. Reads what the kernel has, explains denials, counts everything.
#pragma once

#include <kl/core/Audit.client.hpp>
#include <services/AuditCounts.server.hpp>
#include <services/audit/explain.hpp>
#include <services/audit/folding.hpp>
#include <services/audit/recorder.hpp>
#include <services/audit/task_directory.hpp>
#include <tessera/Event.server.hpp>

namespace svc::audit {

/// Where finished lines go.
class LineSink {
public:
    LineSink() = default;
    LineSink(const LineSink&) = delete;
    LineSink& operator=(const LineSink&) = delete;
    /// False: it could not be shown.
    virtual bool write_line(std::string_view line) = 0;

protected:
    ~LineSink() = default;
};

struct Counts {
    u64 records = 0;
    u64 denials = 0;
    u64 lost = 0;
};

class AuditService final : public services::AuditCounts::Server, public tessera::Event::Server {
public:
    AuditService(kl::core::Audit::Proxy& kernel,
                 const Names& names,
                 TaskDirectory& tasks,
                 LineSink& sink,
                 Recorder& recorder)
        : kernel_(kernel), names_(names), tasks_(tasks), sink_(sink), recorder_(recorder) {}

    /// The kernel says that there are records.
    idl::Outcome<tessera::Event::Notify_Results>
    Notify(const idl::Caller& caller, const tessera::Event::Notify_Arguments& in) override;

    idl::Outcome<services::AuditCounts::Get_Results>
    Get(const idl::Caller& caller, const services::AuditCounts::Get_Arguments& in) override;

    /// Reads and shows all records that are there, a bounded number of batches.
    void read_all();

    /// Tells what is still hidden; to be called when it has been quiet for a while.
    void tell_hidden();

    [[nodiscard]] bool has_hidden() const { return folding_.hidden().sum() > 0; }

    [[nodiscard]] const Counts& counts() const { return counts_; }

private:
    static constexpr u32 kMaxBatches = 64;  // then requests get their turn

    bool read_batch();
    void take(const ksec::Record& record);
    void tell_lost();
    void show(std::string_view line);

    kl::core::Audit::Proxy& kernel_;
    Names names_;
    TaskDirectory& tasks_;
    LineSink& sink_;
    Recorder& recorder_;
    Folding folding_{};
    Counts counts_{};
    u64 lost_told_ = 0;
    u64 unshown_ = 0;  // lines that the sink refused
};

}  // namespace svc::audit
