// SPDX-License-Identifier: Apache-2.0
// Boxes stand in even layers and labels in odd ones. Everything that occupies a place in a layer is
// an item: a box, a label, or a bend of an arrow that passes through. Coordinates within a layer
// are the nearest ones, by squares, to where the neighbours would like an item to be, under the
// distances that must be kept (found exactly by pooling neighbours that collide).
#include "layout.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace sdk::policy {

namespace {

constexpr double kGapX = 26;
constexpr double kGapY = 28;
/// Between two bends an arrow wants to be straight more than it wants to be short.
constexpr double kBendStiffness = 4;
constexpr double kLabelStiffness = 2;
constexpr double kMargin = 24;
constexpr double kBendWidth = 6;
constexpr double kLoopReach = 34;
constexpr int kOrderSweeps = 24;
constexpr int kCoordinateSweeps = 24;

struct Item {
    double width = 0;
    double height = 0;
    double x = 0;
    double weight = 1;     ///< when a layer is settled
    double stiffness = 1;  ///< towards the neighbours in other layers
    std::vector<std::size_t> above{};
    std::vector<std::size_t> below{};
};

class Placement final {
public:
    explicit Placement(Drawing& drawing) : drawing_(drawing) {}

    void run() {
        break_cycles();
        assign_layers();
        make_items();
        order_layers();
        choose_x();
        choose_y();
        draw_ways();
    }

private:
    // ---- layers

    /// Turns around the arrows that close a cycle, found depth first in the order given.
    void break_cycles() {
        const std::size_t count = drawing_.boxes.size();
        turned_.assign(drawing_.arrows.size(), false);
        std::vector<int> state(count, 0);  // 0 unseen, 1 open, 2 done
        std::vector<std::vector<std::size_t>> out(count);
        std::vector<std::size_t> in_degree(count, 0);
        for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
            const Arrow& arrow = drawing_.arrows[a];
            if (arrow.from != arrow.to) {
                out[arrow.from].push_back(a);
                ++in_degree[arrow.to];
            }
        }
        std::vector<std::size_t> starts(count);
        std::iota(starts.begin(), starts.end(), std::size_t{0});
        std::ranges::stable_sort(starts, {}, [&](std::size_t box) { return in_degree[box]; });
        for (const std::size_t start : starts) {
            if (state[start] == 0) {
                visit(start, out, state);
            }
        }
    }

    void visit(std::size_t box,
               const std::vector<std::vector<std::size_t>>& out,
               std::vector<int>& state) {
        state[box] = 1;
        for (const std::size_t a : out[box]) {
            const std::size_t next = drawing_.arrows[a].to;
            if (state[next] == 1) {
                turned_[a] = true;
            } else if (state[next] == 0) {
                visit(next, out, state);
            }
        }
        state[box] = 2;
    }

    [[nodiscard]] std::size_t upper(std::size_t a) const {
        return turned_[a] ? drawing_.arrows[a].to : drawing_.arrows[a].from;
    }

    [[nodiscard]] std::size_t lower(std::size_t a) const {
        return turned_[a] ? drawing_.arrows[a].from : drawing_.arrows[a].to;
    }

    [[nodiscard]] bool is_loop(std::size_t a) const {
        return drawing_.arrows[a].from == drawing_.arrows[a].to;
    }

    /// Longest way from a box without arrows into it; then boxes without arrows into them move down
    /// to just above what they call.
    void assign_layers() {
        layer_.assign(drawing_.boxes.size(), 0);
        for (std::size_t round = 0; round < drawing_.boxes.size(); ++round) {
            bool is_changed = false;
            for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
                if (!is_loop(a) && layer_[lower(a)] < layer_[upper(a)] + 2) {
                    layer_[lower(a)] = layer_[upper(a)] + 2;
                    is_changed = true;
                }
            }
            if (!is_changed) {
                break;
            }
        }
        for (std::size_t box = 0; box < drawing_.boxes.size(); ++box) {
            bool has_upper = false;
            std::size_t nearest = SIZE_MAX;
            for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
                has_upper = has_upper || (!is_loop(a) && lower(a) == box);
                if (!is_loop(a) && upper(a) == box) {
                    nearest = std::min(nearest, layer_[lower(a)]);
                }
            }
            if (!has_upper && nearest != SIZE_MAX) {
                layer_[box] = nearest - 2;
            }
        }
    }

    // ---- items

    std::size_t add_item(std::size_t layer, Item item) {
        if (layers_.size() <= layer) {
            layers_.resize(layer + 1);
        }
        items_.push_back(std::move(item));
        layers_[layer].push_back(items_.size() - 1);
        return items_.size() - 1;
    }

    void join(std::size_t above, std::size_t below) {
        items_[above].below.push_back(below);
        items_[below].above.push_back(above);
    }

    /// Items 0.. are the boxes; then labels and bends, arrow by arrow.
    void make_items() {
        for (std::size_t box = 0; box < drawing_.boxes.size(); ++box) {
            add_item(layer_[box],
                     {.width = drawing_.boxes[box].width,
                      .height = drawing_.boxes[box].height,
                      .weight = 2});
        }
        ways_.resize(drawing_.arrows.size());
        labels_.assign(drawing_.arrows.size(), 0);
        for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
            const Arrow& arrow = drawing_.arrows[a];
            if (is_loop(a)) {
                // Beside its box: the box's item is made wide and high enough.
                Item& item = items_[arrow.from];
                const double reach = kLoopReach + arrow.label.width;
                item.width = std::max(item.width, drawing_.boxes[arrow.from].width + 2 * reach);
                item.height = std::max(item.height, arrow.label.height);
                continue;
            }
            const std::size_t first = layer_[upper(a)];
            const std::size_t last = layer_[lower(a)];
            // The label stands next to the caller, where it is looked for.
            const std::size_t label_layer = turned_[a] ? last - 1 : first + 1;
            std::size_t previous = upper(a);
            for (std::size_t layer = first + 1; layer < last; ++layer) {
                const bool is_label = layer == label_layer;
                const std::size_t item =
                    is_label
                        ? add_item(layer,
                                   {.width = arrow.label.width,
                                    .height = arrow.label.height,
                                    .weight = 2,
                                    .stiffness = kLabelStiffness})
                        : add_item(layer,
                                   {.width = kBendWidth, .weight = 4, .stiffness = kBendStiffness});
                if (is_label) {
                    labels_[a] = item;
                }
                join(previous, item);
                ways_[a].push_back(item);
                previous = item;
            }
            join(previous, lower(a));
        }
    }

    // ---- order

    [[nodiscard]] std::vector<std::size_t> positions() const {
        std::vector<std::size_t> position(items_.size());
        for (const std::vector<std::size_t>& layer : layers_) {
            for (std::size_t i = 0; i < layer.size(); ++i) {
                position[layer[i]] = i;
            }
        }
        return position;
    }

    /// Crossings between neighbouring layers, all of them.
    [[nodiscard]] std::size_t count_crossings() const {
        const std::vector<std::size_t> position = positions();
        std::size_t crossings = 0;
        for (const std::vector<std::size_t>& layer : layers_) {
            std::vector<std::size_t> ends;
            for (const std::size_t item : layer) {
                std::vector<std::size_t> own;
                for (const std::size_t below : items_[item].below) {
                    own.push_back(position[below]);
                }
                std::ranges::sort(own);
                for (const std::size_t end : own) {
                    crossings += static_cast<std::size_t>(
                        std::ranges::count_if(ends, [end](std::size_t e) { return e > end; }));
                }
                ends.insert(ends.end(), own.begin(), own.end());
            }
        }
        return crossings;
    }

    void order_layers() {
        std::vector<std::vector<std::size_t>> best = layers_;
        std::size_t fewest = count_crossings();
        for (int sweep = 0; sweep < kOrderSweeps && fewest != 0; ++sweep) {
            const bool is_down = sweep % 2 == 0;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                sort_layer(is_down ? i : layers_.size() - 1 - i, is_down);
            }
            const std::size_t crossings = count_crossings();
            if (crossings < fewest) {
                fewest = crossings;
                best = layers_;
            }
        }
        layers_ = std::move(best);
    }

    /// By the mean position of the neighbours in the layer before; items without any stay.
    void sort_layer(std::size_t layer, bool is_down) {
        const std::vector<std::size_t> position = positions();
        std::vector<std::pair<double, std::size_t>> keyed;
        for (const std::size_t item : layers_[layer]) {
            const std::vector<std::size_t>& near =
                is_down ? items_[item].above : items_[item].below;
            double key = static_cast<double>(position[item]);
            if (!near.empty()) {
                key = 0;
                for (const std::size_t other : near) {
                    key += static_cast<double>(position[other]);
                }
                key /= static_cast<double>(near.size());
            }
            keyed.emplace_back(key, item);
        }
        std::ranges::stable_sort(keyed, {}, [](const auto& entry) { return entry.first; });
        for (std::size_t i = 0; i < keyed.size(); ++i) {
            layers_[layer][i] = keyed[i].second;
        }
    }

    // ---- coordinates

    [[nodiscard]] double distance(std::size_t left, std::size_t right) const {
        return (items_[left].width + items_[right].width) / 2 + kGapX;
    }

    void choose_x() {
        for (const std::vector<std::size_t>& layer : layers_) {
            double x = 0;
            for (std::size_t i = 0; i < layer.size(); ++i) {
                x += i == 0 ? 0 : distance(layer[i - 1], layer[i]);
                items_[layer[i]].x = x;
            }
        }
        for (int sweep = 0; sweep < kCoordinateSweeps; ++sweep) {
            const bool is_down = sweep % 2 == 0;
            const bool is_last = sweep >= kCoordinateSweeps - 4;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                settle(layers_[is_down ? i : layers_.size() - 1 - i], is_down, is_last);
            }
        }
        double least = 0;
        double most = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            least = i == 0 ? items_[i].x - items_[i].width / 2
                           : std::min(least, items_[i].x - items_[i].width / 2);
            most = i == 0 ? items_[i].x + items_[i].width / 2
                          : std::max(most, items_[i].x + items_[i].width / 2);
        }
        for (Item& item : items_) {
            item.x += kMargin - least;
        }
        drawing_.width = most - least + 2 * kMargin;
    }

    /// Where the neighbours would have it.
    [[nodiscard]] double wish(const Item& item, bool is_down, bool both) const {
        double sum = 0;
        double weights = 0;
        const auto add = [&](const std::vector<std::size_t>& near) {
            for (const std::size_t other : near) {
                const double weight = item.stiffness * items_[other].stiffness;
                sum += items_[other].x * weight;
                weights += weight;
            }
        };
        if (is_down || both) {
            add(item.above);
        }
        if (!is_down || both) {
            add(item.below);
        }
        return weights == 0 ? item.x : sum / weights;
    }

    /// Places a layer nearest to its wishes: neighbours that would collide move as one block.
    void settle(const std::vector<std::size_t>& layer, bool is_down, bool both) {
        struct Block {
            double sum = 0;  ///< of weight * (wish - offset)
            double weight = 0;
            std::size_t count = 0;
        };

        std::vector<Block> blocks;
        std::vector<double> offsets;
        double offset = 0;
        for (std::size_t i = 0; i < layer.size(); ++i) {
            const Item& item = items_[layer[i]];
            offset += i == 0 ? 0 : distance(layer[i - 1], layer[i]);
            offsets.push_back(offset);
            blocks.push_back({item.weight * (wish(item, is_down, both) - offset), item.weight, 1});
            while (blocks.size() > 1) {
                const Block& last = blocks.back();
                Block& before = blocks[blocks.size() - 2];
                if (before.sum / before.weight <= last.sum / last.weight) {
                    break;
                }
                before.sum += last.sum;
                before.weight += last.weight;
                before.count += last.count;
                blocks.pop_back();
            }
        }
        std::size_t i = 0;
        for (const Block& block : blocks) {
            for (std::size_t n = 0; n < block.count; ++n, ++i) {
                items_[layer[i]].x = block.sum / block.weight + offsets[i];
            }
        }
    }

    void choose_y() {
        double y = kMargin;
        for (const std::vector<std::size_t>& layer : layers_) {
            double height = 0;
            for (const std::size_t item : layer) {
                height = std::max(height, items_[item].height);
            }
            layer_y_.push_back(y + height / 2);
            layer_height_.push_back(height);
            y += height + kGapY;
        }
        drawing_.height = y - kGapY + kMargin;
        y_.resize(items_.size());
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
            for (const std::size_t item : layers_[layer]) {
                y_[item] = layer_y_[layer];
                item_layer_.resize(items_.size());
                item_layer_[item] = layer;
            }
        }
        for (std::size_t box = 0; box < drawing_.boxes.size(); ++box) {
            drawing_.boxes[box].centre = {items_[box].x, y_[box]};
        }
    }

    // ---- ways

    void draw_ways() {
        std::vector<std::vector<std::size_t>> leaving(drawing_.boxes.size());
        std::vector<std::vector<std::size_t>> arriving(drawing_.boxes.size());
        for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
            if (is_loop(a)) {
                draw_loop(drawing_.arrows[a]);
            } else {
                leaving[upper(a)].push_back(a);
                arriving[lower(a)].push_back(a);
            }
        }
        std::vector<double> start(drawing_.arrows.size());
        std::vector<double> end(drawing_.arrows.size());
        for (std::size_t box = 0; box < drawing_.boxes.size(); ++box) {
            spread(box, leaving[box], start, [&](std::size_t a) {
                return items_[ways_[a].front()].x;
            });
            spread(
                box, arriving[box], end, [&](std::size_t a) { return items_[ways_[a].back()].x; });
        }
        for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
            if (!is_loop(a)) {
                draw_way(a, start[a], end[a]);
            }
        }
    }

    /// Where arrows touch a box: side by side, in the order of where they go.
    template <typename Where>
    void
    spread(std::size_t box, std::vector<std::size_t> arrows, std::vector<double>& x, Where where) {
        std::ranges::stable_sort(arrows, {}, where);
        const double step = arrows.size() < 2
                                ? 0
                                : std::min(22.0,
                                           drawing_.boxes[box].width * 0.7 /
                                               static_cast<double>(arrows.size() - 1));
        const double first = items_[box].x - step * static_cast<double>(arrows.size() - 1) / 2;
        for (std::size_t i = 0; i < arrows.size(); ++i) {
            x[arrows[i]] = first + step * static_cast<double>(i);
        }
    }

    void draw_way(std::size_t a, double start, double end) {
        Arrow& arrow = drawing_.arrows[a];
        const Box& above = drawing_.boxes[upper(a)];
        const Box& below = drawing_.boxes[lower(a)];
        arrow.way.push_back({start, above.centre.y + above.height / 2});
        for (const std::size_t item : ways_[a]) {
            // A bend leaves its layer as it entered it: straight down.
            const double half = std::max(items_[item].height, layer_height_[item_layer_[item]]) / 2;
            arrow.way.push_back({items_[item].x, y_[item] - half});
            arrow.way.push_back({items_[item].x, y_[item] + half});
        }
        arrow.way.push_back({end, below.centre.y - below.height / 2});
        arrow.label.centre = {items_[labels_[a]].x, y_[labels_[a]]};
        if (turned_[a]) {
            std::ranges::reverse(arrow.way);
        }
    }

    void draw_loop(Arrow& arrow) const {
        const Box& box = drawing_.boxes[arrow.from];
        const double right = box.centre.x + box.width / 2;
        const double reach = right + kLoopReach;
        const double half = box.height / 4;
        arrow.way = {{right, box.centre.y - half},
                     {reach, box.centre.y - half},
                     {reach, box.centre.y + half},
                     {right, box.centre.y + half}};
        arrow.label.centre = {reach + 6 + arrow.label.width / 2, box.centre.y};
    }

    Drawing& drawing_;
    std::vector<bool> turned_;
    std::vector<std::size_t> layer_;
    std::vector<Item> items_;
    std::vector<std::vector<std::size_t>> layers_;
    std::vector<std::vector<std::size_t>> ways_;
    std::vector<std::size_t> labels_;
    std::vector<double> layer_y_;
    std::vector<double> layer_height_;
    std::vector<double> y_;
    std::vector<std::size_t> item_layer_;
};

}  // namespace

void place(Drawing& drawing) { Placement(drawing).run(); }

}  // namespace sdk::policy
