// SPDX-License-Identifier: Apache-2.0
// A fixed number of objects of one type, handed out and taken back in O(1). Objects are
// constructed when taken and destroyed when given back, so a recycled one carries nothing over.
#pragma once

#include <kernel/base/assert.hpp>
#include <kernel/base/types.hpp>
#include <new>
#include <type_traits>
#include <utility>

namespace kernel {

template <typename T, base::u32 kCapacity> class Pool final {
public:
    Pool() {
        for (base::u32 i = 0; i < kCapacity; ++i) {
            next_[i] = i + 1;
        }
    }

    /// A new object, or null when all are in use.
    template <typename... Arguments> [[nodiscard]] T* take(Arguments&&... arguments) {
        if (free_ == kCapacity) {
            return nullptr;
        }
        const base::u32 index = free_;
        free_ = next_[index];
        next_[index] = kInUse;
        ++used_;
        return ::new (static_cast<void*>(&storage_[index]))
            T(std::forward<Arguments>(arguments)...);
    }

    /// Destroys an object of this pool and takes its slot back.
    void give(T& object) {
        const base::u32 index = index_of(object);
        KASSERT(next_[index] == kInUse);
        object.~T();
        next_[index] = free_;
        free_ = index;
        --used_;
    }

    [[nodiscard]] base::u32 index_of(const T& object) const {
        return static_cast<base::u32>(&object - reinterpret_cast<const T*>(storage_));
    }

    /// The live object at `index`, or null; any index is safe to ask for.
    [[nodiscard]] T* find(base::u32 index) {
        const base::u32 inside = index % kCapacity;  // also where the CPU guesses past the check
        if (index >= kCapacity || next_[inside] != kInUse) {
            return nullptr;
        }
        return std::launder(reinterpret_cast<T*>(&storage_[inside]));
    }

    [[nodiscard]] base::u32 used() const { return used_; }

    static constexpr base::u32 capacity() { return kCapacity; }

private:
    static constexpr base::u32 kInUse = 0xFFFF'FFFF;

    struct alignas(T) Storage {
        std::byte bytes[sizeof(T)];
    };

    static_assert(sizeof(Storage) == sizeof(T) && (kCapacity & (kCapacity - 1)) == 0);

    Storage storage_[kCapacity];
    base::u32 next_[kCapacity];
    base::u32 free_ = 0;
    base::u32 used_ = 0;
};

}  // namespace kernel
