// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked list. The links are a ListNode member of the element, one for each list
// the element can be on at a time, so linking allocates nothing and cannot fail:
//
//   struct Thread { base::ListNode queue_node; ... };
//   base::List<Thread, &Thread::queue_node> ready;
//
// The list is a ring through a sentinel in the List object, hence an element unlinks itself in O(1)
// without knowing which list it is on. A List therefore has a fixed address: it neither copies nor
// moves, and snapshots keep addresses. Misuse (linking twice, destroying a linked element or a list
// with elements) is a kernel bug and stops. Not synchronised: whoever owns the list serialises.
#pragma once

#include <bit>
#include <cstddef>
#include <kernel/base/assert.hpp>
#include <kernel/base/types.hpp>

namespace base {

/// Links of one element on one list at a time.
class ListNode final {
public:
    constexpr ListNode() = default;

    constexpr ~ListNode() { KASSERT(!is_linked()); }

    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;

    [[nodiscard]] constexpr bool is_linked() const { return next_ != nullptr; }

    /// Takes the element off whatever list it is on; nothing happens when it is on none.
    constexpr void unlink() {
        if (is_linked()) {
            previous_->next_ = next_;
            next_->previous_ = previous_;
            next_ = nullptr;
            previous_ = nullptr;
        }
    }

private:
    template <typename T, ListNode T::* member> friend class List;

    constexpr void link_before(ListNode& position) {
        KASSERT(!is_linked());
        next_ = &position;
        previous_ = position.previous_;
        previous_->next_ = this;
        position.previous_ = this;
    }

    ListNode* next_ = nullptr;
    ListNode* previous_ = nullptr;
};

/// List of T through its `member`. Borrows its elements. All O(1) but contains() and count().
template <typename T, ListNode T::* member> class List final {
public:
    constexpr List() {
        sentinel_.next_ = &sentinel_;
        sentinel_.previous_ = &sentinel_;
    }

    constexpr ~List() {
        KASSERT(empty());
        sentinel_.next_ = nullptr;
        sentinel_.previous_ = nullptr;
    }

    List(const List&) = delete;
    List& operator=(const List&) = delete;

    [[nodiscard]] constexpr bool empty() const { return sentinel_.next_ == &sentinel_; }

    /// First element; null when the list is empty.
    [[nodiscard]] T* front() const { return element_or_null(sentinel_.next_); }

    /// Last element; null when the list is empty.
    [[nodiscard]] T* back() const { return element_or_null(sentinel_.previous_); }

    /// Element after `element`, which is on this list; null after the last.
    [[nodiscard]] T* next(const T& element) const {
        return element_or_null((element.*member).next_);
    }

    /// Element before `element`, which is on this list; null before the first.
    [[nodiscard]] T* previous(const T& element) const {
        return element_or_null((element.*member).previous_);
    }

    void push_back(T& element) { (element.*member).link_before(sentinel_); }

    void push_front(T& element) { (element.*member).link_before(*sentinel_.next_); }

    /// Links `element` behind `position`, which is on this list.
    void insert_after(T& position, T& element) {
        KASSERT((position.*member).is_linked());
        (element.*member).link_before(*(position.*member).next_);
    }

    /// Takes the first element off; null when the list is empty.
    T* pop_front() {
        T* first = front();
        if (first != nullptr) {
            (first->*member).unlink();
        }
        return first;
    }

    /// For range-for. The loop body must not unlink the current element.
    /// Takes off `element`, which is on this list.
    void remove(T& element) {
        KASSERT((element.*member).is_linked());
        (element.*member).unlink();
    }

    class Iterator final {
    public:
        explicit Iterator(const ListNode* node) : node_(node) {}

        [[nodiscard]] T& operator*() const { return *element_of(node_); }

        Iterator& operator++() {
            node_ = node_->next_;
            return *this;
        }

        friend bool operator==(Iterator, Iterator) = default;

    private:
        const ListNode* node_;
    };

    [[nodiscard]] Iterator begin() const { return Iterator{sentinel_.next_}; }

    [[nodiscard]] Iterator end() const { return Iterator{&sentinel_}; }

private:
    /// The element around a node: a pointer to a data member is its offset in the ABI of both our
    /// compilers, and the optimiser folds this to a constant.
    static T* element_of(const ListNode* node) {
        static_assert(sizeof(member) == sizeof(std::ptrdiff_t));
        const auto offset = std::bit_cast<std::ptrdiff_t>(member);
        return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(const_cast<ListNode*>(node)) -
                                    offset);
    }

    [[nodiscard]] T* element_or_null(const ListNode* node) const {
        return node == &sentinel_ ? nullptr : element_of(node);
    }

    ListNode sentinel_;
};

}  // namespace base
