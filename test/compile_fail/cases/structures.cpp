// SPDX-License-Identifier: Apache-2.0
// Fields fit their word, lists and nodes stay where they are, texts name their length.
#include <kernel/base/list.hpp>
#include <kernel/base/text.hpp>
#include <sdk/runtime/include/runtime/field.hpp>
#include <utility>

using namespace base;
using sdk::Field;

struct Item {
    ListNode node;
    u32 number = 0;
};

using Items = List<Item, &Item::node>;  // instead: using Items = List<Item, &Item::number>;
using Top = Field<63, 1>;               // instead: using Top = Field<63, 2>; Top top;
using Whole = Field<0, 64>;             // instead: using Whole = Field<64, 1>; Whole whole;
using One = Field<3, 1>;                // instead: using One = Field<3, 0>; One one;

void use(Items& items, Item& item, const char* pointer) {
    Items& same = items;    // instead: Items same = items;
    Items& moved = items;   // instead: Items moved = std::move(items);
    Item& link = item;      // instead: Item link = item;
    items.push_back(item);  // instead: items.push_back(&item);
    Text name{pointer, 4};  // instead: Text name{pointer};
    static_cast<void>(same.empty() && moved.empty() && link.number == name.size());
    static_cast<void>(Top::kMask + Whole::kMask + One::kMask);
}
