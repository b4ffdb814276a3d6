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

    /// Begins a recording of a policy with this names table.
    Recorder(const sdk::Console& port, std::string_view names) : port_(port), is_open_(true) {
        sdk::Line<96> line;
        write(line.text(sdk::kRecordingHeader)
                  .character(' ')
                  .decimal(sdk::kRecordingVersion)
                  .character(' ')
                  .hex(sdk::hash_names(names), 16));
    }

    /// One record; one that cannot be written is counted as lost before the next.
    void write(const ksec::Record& record) {
        if (!is_open_) {
            return;
        }
        sdk::Line<160> line;
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
    bool write(const sdk::Writer& line) {
        return port_.write_line(line.view()) == base::Status::Ok;
    }

    sdk::Console port_{};
    bool is_open_ = false;
    base::u64 unwritten_ = 0;
};

}  // namespace svc::audit
