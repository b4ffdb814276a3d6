// SPDX-License-Identifier: Apache-2.0
#include <services/vfs/mounts.hpp>

namespace svc::vfs {

Result<u32> Mounts::add(const Mount& mount) {
    for (u32 i = 0; i < kMost; ++i) {
        if (mounts_[i].files == nullptr) {
            mounts_[i] = mount;
            return i;
        }
    }
    return Error::TableFull;
}

Place Mounts::enter(Place place) const {
    // Each turn goes up by one mount, and none covers itself.
    for (u32 i = 1; i < kMost; ++i) {
        if (mounts_[i].files != nullptr && mounts_[i].covered == place) {
            place = {i, mounts_[i].files->root()};
            i = 0;
        }
    }
    return place;
}

Place Mounts::leave(Place place) const {
    while (place.mount != 0 && place.node == files(place).root()) {
        place = mounts_[place.mount].covered;
    }
    return place;
}

}  // namespace svc::vfs
