// SPDX-License-Identifier: Apache-2.0
// Decision records and names tables of any content: one line of printable characters each.
#include <cstdlib>
#include <cstring>
#include <services/audit/explain.hpp>

namespace {

class Tasks final : public svc::audit::TaskNames {
public:
    std::string_view find(base::u64 sid) override {
        return sid % 2 == 0 ? std::string_view{} : std::string_view{"task\r\n"};
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const base::u8* data, std::size_t size) {
    ksec::Record record{};
    const std::size_t head = size < sizeof(record) ? size : sizeof(record);
    std::memcpy(&record, data, head);
    const void* const rest = data + head;
    const svc::audit::Names names{{static_cast<const char*>(rest), size - head}};
    Tasks tasks;
    sdk::Line<400> line;
    svc::audit::explain(record, names, tasks, line);
    for (const char c : line.view()) {
        if (c < ' ' || c > '~') {
            std::abort();
        }
    }
    return 0;
}
