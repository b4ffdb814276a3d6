// SPDX-License-Identifier: Apache-2.0
// One lock guards the numbers and the counts of holders. Nothing is called while it is held, so a
// kind may itself open and close.
#include <musl_errno.h>
#include <sdk/posix/descriptors.hpp>

namespace sdk::posix {

/// Which number leads to which description, and which descriptions there are.
class Table final {
public:
    Description* create(const Kind& kind, u32 flags, u64 object) {
        const Holder holder{lock_};
        for (Description& each : descriptions_) {
            if (each.kind_ == nullptr) {
                each.kind_ = &kind;
                each.references_ = 1;
                each.flags_ = flags & ~open_flag::kCloseOnExec;
                each.object = object;
                each.position = 0;
                return &each;
            }
        }
        return nullptr;
    }

    Description* hold(u64 descriptor) {
        const Holder holder{lock_};
        Description* const found =
            descriptor < kMaxDescriptors ? numbers_[descriptor].description : nullptr;
        if (found != nullptr) {
            ++found->references_;
        }
        return found;
    }

    void let_go(Description& description) {
        {
            const Holder holder{lock_};
            if (--description.references_ != 0) {
                return;
            }
        }
        // Nobody can find it any more, but its place stays taken until the kind is done with it.
        description.kind_->close(description);
        const Holder holder{lock_};
        description.kind_ = nullptr;
    }

    /// A description that nobody else has seen, without closing it.
    void forget(Description& description) {
        const Holder holder{lock_};
        description.kind_ = nullptr;
    }

    s64 install(Description& description, u64 lowest, u32 flags) {
        if (lowest >= kMaxDescriptors) {
            return -EINVAL;
        }
        const Holder holder{lock_};
        for (u64 i = lowest; i < kMaxDescriptors; ++i) {
            if (numbers_[i].description == nullptr) {
                numbers_[i] = {.description = &description,
                               .flags = flags & open_flag::kCloseOnExec};
                return static_cast<s64>(i);
            }
        }
        return -EMFILE;
    }

    /// What the number led to before, with its hold; null: nothing.
    Description* replace(u64 descriptor, Description* description, u32 flags) {
        const Holder holder{lock_};
        Description* const before = numbers_[descriptor].description;
        numbers_[descriptor] = {.description = description,
                                .flags = flags & open_flag::kCloseOnExec};
        return before;
    }

    s64 flags_of(u64 descriptor) {
        const Holder holder{lock_};
        if (descriptor >= kMaxDescriptors || numbers_[descriptor].description == nullptr) {
            return -EBADF;
        }
        return numbers_[descriptor].flags;
    }

    s64 set_flags(u64 descriptor, u32 flags) {
        const Holder holder{lock_};
        if (descriptor >= kMaxDescriptors || numbers_[descriptor].description == nullptr) {
            return -EBADF;
        }
        numbers_[descriptor].flags = flags & open_flag::kCloseOnExec;
        return 0;
    }

private:
    struct Number {
        Description* description;
        u32 flags;
    };

    Lock lock_;
    Number numbers_[kMaxDescriptors]{};
    Description descriptions_[kMaxDescriptors]{};
};

namespace {

constinit Table table;
constinit Event readiness;

}  // namespace

bool Description::is_readable() const {
    const u32 access = flags() & (open_flag::kAccess | open_flag::kPath);
    return access == open_flag::kReadOnly || access == open_flag::kReadWrite;
}

bool Description::is_writable() const {
    const u32 access = flags() & (open_flag::kAccess | open_flag::kPath);
    return access == open_flag::kWriteOnly || access == open_flag::kReadWrite;
}

Held::Held(u64 descriptor) : description_(table.hold(descriptor)) {}

Held::~Held() {
    if (description_ != nullptr) {
        table.let_go(*description_);
    }
}

Description* take_hold(u64 descriptor) { return table.hold(descriptor); }

Description* create_description(const Kind& kind, u32 flags, u64 object) {
    return table.create(kind, flags, object);
}

void let_go(Description& description) { table.let_go(description); }

s64 install_descriptor(Description& description, u64 lowest, u32 flags) {
    return table.install(description, lowest, flags);
}

s64 replace_descriptor(Description& description, u64 descriptor, u32 flags) {
    if (descriptor >= kMaxDescriptors) {
        return -EBADF;
    }
    Description* const before = table.replace(descriptor, &description, flags);
    if (before != nullptr) {
        table.let_go(*before);
    }
    return static_cast<s64>(descriptor);
}

s64 open_descriptor(const Kind& kind, u32 flags, u64 object) {
    Description* const made = table.create(kind, flags, object);
    if (made == nullptr) {
        return -ENFILE;
    }
    const s64 number = table.install(*made, 0, flags);
    if (number < 0) {
        table.forget(*made);
    }
    return number;
}

s64 close_descriptor(u64 descriptor) {
    Description* const before =
        descriptor < kMaxDescriptors ? table.replace(descriptor, nullptr, 0) : nullptr;
    if (before == nullptr) {
        return -EBADF;
    }
    table.let_go(*before);
    return 0;
}

s64 descriptor_flags(u64 descriptor) { return table.flags_of(descriptor); }

s64 set_descriptor_flags(u64 descriptor, u32 flags) { return table.set_flags(descriptor, flags); }

void signal_readiness() { readiness.signal(); }

Event& readiness_event() { return readiness; }

s64 Kind::read(Description&, const Transfer&) const { return -EINVAL; }

s64 Kind::write(Description&, const Transfer&) const { return -EINVAL; }

bool Kind::can_seek() const { return false; }

s64 Kind::seek(Description&, s64, u64) const { return -ESPIPE; }

s64 Kind::control(Description&, u64, u64) const { return -ENOTTY; }

s64 Kind::tell_status(Description&, FileStatus&) const { return -EBADF; }

s64 Kind::truncate(Description&, s64) const { return -EINVAL; }

s64 Kind::synchronise(Description&) const { return -EINVAL; }

s64 Kind::change_flags(Description&, u32) const { return 0; }

s64 Kind::map(Description&, const Mapping&) const { return -ENODEV; }

u32 Kind::readiness(Description&) const { return poll_flag::kIn | poll_flag::kOut; }

void Kind::close(Description&) const {}

}  // namespace sdk::posix
