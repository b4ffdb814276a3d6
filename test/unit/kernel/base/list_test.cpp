// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <deque>
#include <iterator>
#include <kernel/base/list.hpp>
#include <memory>
#include <mock/machine.hpp>
#include <random>
#include <test/unit/kernel/harness/lists.hpp>
#include <vector>

using namespace base;

namespace {

struct Item {
    explicit Item(int number) : id(number) {}

    int id;
    ListNode first_node;
    ListNode second_node;
};

using FirstList = List<Item, &Item::first_node>;
using SecondList = List<Item, &Item::second_node>;

std::vector<int> ids(const FirstList& list) {
    std::vector<int> result;
    for (const Item& item : list) {
        result.push_back(item.id);
    }
    return result;
}

}  // namespace

TEST_CASE("a list keeps the order of insertion", "[kernel][base]") {
    Item a{1};
    Item b{2};
    Item c{3};
    FirstList list;
    CHECK(list.empty());
    CHECK(list.front() == nullptr);
    CHECK(list.pop_front() == nullptr);
    list.push_back(b);
    list.push_back(c);
    list.push_front(a);
    CHECK(ids(list) == std::vector{1, 2, 3});
    CHECK(test::length_of(list) == 3);
    CHECK(list.front() == &a);
    CHECK(list.back() == &c);
    CHECK(list.next(a) == &b);
    CHECK(list.next(c) == nullptr);
    CHECK(list.previous(a) == nullptr);
    CHECK(list.pop_front() == &a);
    CHECK_FALSE(a.first_node.is_linked());
    list.remove(c);
    b.first_node.unlink();
    CHECK(list.empty());
}

TEST_CASE("an element can be on one list per node", "[kernel][base]") {
    Item a{1};
    FirstList first;
    SecondList second;
    first.push_back(a);
    second.push_back(a);
    CHECK(first.front() == &a);
    CHECK(second.front() == &a);
    a.first_node.unlink();
    CHECK(first.empty());
    CHECK(test::is_on(second, a));
    a.second_node.unlink();
}

TEST_CASE("unlinking what is on no list does nothing", "[kernel][base]") {
    Item a{1};
    a.first_node.unlink();
    CHECK_FALSE(a.first_node.is_linked());
}

TEST_CASE("linking twice stops", "[kernel][base]") {
    Item a{1};
    FirstList list;
    list.push_back(a);
    CHECK_THROWS_AS(list.push_back(a), mock::Stop);
    CHECK_THROWS_AS(list.push_front(a), mock::Stop);
    CHECK(test::length_of(list) == 1);
    list.remove(a);
    CHECK_THROWS_AS(list.remove(a), mock::Stop);
}

TEST_CASE("inserting beside an element that is on no list stops", "[kernel][base]") {
    Item a{1};
    Item b{2};
    FirstList list;
    CHECK_THROWS_AS(list.insert_after(a, b), mock::Stop);
}

TEST_CASE("destroying a linked element stops", "[kernel][base]") {
    CHECK(mock::stops_in_child([] {
        FirstList list;
        auto item = std::make_unique<Item>(1);
        list.push_back(*item);
        item.reset();
    }));
}

TEST_CASE("destroying a list that has elements stops", "[kernel][base]") {
    CHECK(mock::stops_in_child([] {
        auto item = std::make_unique<Item>(1);
        auto list = std::make_unique<FirstList>();
        list->push_back(*item);
        list.reset();
    }));
}

TEST_CASE("a list agrees with a deque under random operations", "[kernel][base]") {
    const auto seed = GENERATE(1u, 2u, 3u, 4u);
    CAPTURE(seed);
    std::mt19937 random{seed};
    std::deque<Item> items;
    for (int i = 0; i < 12; ++i) {
        items.emplace_back(i);
    }
    FirstList list;
    std::deque<int> model;
    for (int step = 0; step < 2000; ++step) {
        const int id = static_cast<int>(random() % items.size());
        Item& item = items[static_cast<std::size_t>(id)];
        const auto place = std::find(model.begin(), model.end(), id);
        if (place != model.end()) {
            model.erase(place);
            item.first_node.unlink();
        } else if (model.empty() || random() % 3 == 0) {
            const bool front = random() % 2 == 0;
            model.insert(front ? model.begin() : model.end(), id);
            front ? list.push_front(item) : list.push_back(item);
        } else {
            const std::size_t at = random() % model.size();
            Item& position = items[static_cast<std::size_t>(model[at])];
            model.insert(model.begin() + static_cast<std::ptrdiff_t>(at + 1), id);
            list.insert_after(position, item);
        }
        REQUIRE(ids(list) == std::vector<int>(model.begin(), model.end()));
    }
    while (list.pop_front() != nullptr) {
    }
}
