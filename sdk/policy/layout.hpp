// SPDX-License-Identifier: Apache-2.0
// Places boxes and arrows of a directed graph in layers, as Sugiyama does it: break cycles, assign
// layers, order each layer so that few arrows cross, then choose coordinates. The label of an arrow
// is a box in a layer of its own between those of its ends, so labels never cover anything. Knows
// nothing of policies; deterministic.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace sdk::policy {

struct Point {
    double x = 0;
    double y = 0;
};

struct Box {
    double width = 0;   ///< in
    double height = 0;  ///< in
    Point centre{};     ///< out
};

struct Arrow {
    std::size_t from = 0;  ///< in; a box
    std::size_t to = 0;    ///< in; may be `from`
    Box label{};           ///< in: size; out: where
    /// Out: the way from the border of one box to that of the other, by way of the label; at least
    /// two points.
    std::vector<Point> way{};
};

struct Drawing {
    std::vector<Box> boxes{};
    std::vector<Arrow> arrows{};
    double width = 0;
    double height = 0;
};

/// Fills in what is marked out. About O(layers * arrows) times a constant number of sweeps.
void place(Drawing& drawing);

}  // namespace sdk::policy
