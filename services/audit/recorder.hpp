// SPDX-License-Identifier: Apache-2.0
// Writes the recording of a run: every record as a line of numbers, to a serial port that nobody
// else reaches. `tessera policy propose` reads it (sdk/policy/recording.hpp says how).
#pragma once

#include <ksec/verdict.hpp>
#include <runtime/console.hpp>
#include <runtime/recording.hpp>
#include <runtime/text.hpp>

namespace svc::audit {

class Recorder final {
public:
    /// Writes nothing.
    Recorder() = default;

    /// Begins a recording of the policy with this hash (Names::policy_hash).
    Recorder(const sdk::Console& port, std::string_view policy_hash) : port_(port), is_open_(true) {
        sdk::Line<kLineBytes> line;
        write(line.text(sdk::kRecordingHeader)
                  .character(' ')
                  .decimal(sdk::kRecordingVersion)
                  .character(' ')
                  .foreign(policy_hash));
    }

    /// One record; one that cannot be written is counted as lost before the next.
    void write(const ksec::Record& record) {
        if (!is_open_) {
            return;
        }
        sdk::Line<kLineBytes> line;
        line.text("record ").decimal(record.sequence);
        for (const base::u64 number : {base::u64{record.event},
                                       base::u64{record.granted},
                                       base::u64{record.reason},
                                       base::u64{record.src_class},
                                       base::u64{record.dst_class},
                                       base::u64{record.endpoint},
                                       base::u64{record.method},
                                       record.lost + unwritten_}) {
            line.character(' ').decimal(number);
        }
        unwritten_ = write(line) ? 0 : unwritten_ + record.lost + 1;
    }

private:
    static constexpr base::u32 kLineBytes = 192;  // "record", nine numbers, the CRC

    /// Adds the CRC, which is carried on by lines that were written only.
    bool write(sdk::Writer& line) {
        const base::u32 crc = sdk::continue_crc32(crc_, line.view());
        line.character(' ').hex(crc, 8);
        if (port_.write_line(line.view()) != base::Status::Ok) {
            return false;
        }
        crc_ = crc;
        return true;
    }

    sdk::Console port_{};
    base::u32 crc_ = 0;
    bool is_open_ = false;
    base::u64 unwritten_ = 0;
};

}  // namespace svc::audit
