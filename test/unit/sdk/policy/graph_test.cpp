// SPDX-License-Identifier: Apache-2.0
// What a picture must hold whatever it looks like: nothing covers anything else, every way begins
// and ends at its boxes, and the text is well-formed.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <sdk/policy/graph_svg.hpp>
#include <sdk/policy/layout.hpp>

namespace {

using namespace sdk::policy;

bool overlap(const Box& a, const Box& b) {
    return std::abs(a.centre.x - b.centre.x) < (a.width + b.width) / 2 - 0.01 &&
           std::abs(a.centre.y - b.centre.y) < (a.height + b.height) / 2 - 0.01;
}

bool is_on_border(const Point& point, const Box& box) {
    const double x = std::abs(point.x - box.centre.x) - box.width / 2;
    const double y = std::abs(point.y - box.centre.y) - box.height / 2;
    return x < 0.01 && y < 0.01 && std::max(x, y) > -0.01;
}

Drawing random_drawing(unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    Drawing drawing;
    const unsigned boxes = 1 + below(12);
    for (unsigned i = 0; i < boxes; ++i) {
        drawing.boxes.push_back({.width = 40.0 + below(100), .height = 20.0 + below(30)});
    }
    for (unsigned i = below(3 * boxes); i != 0; --i) {
        Arrow arrow{.from = below(boxes), .to = below(boxes)};
        const bool is_known = std::ranges::any_of(drawing.arrows, [&](const Arrow& known) {
            return known.from == arrow.from && known.to == arrow.to;
        });
        if (!is_known) {
            arrow.label = {.width = 20.0 + below(120), .height = 14.0 + below(40)};
            drawing.arrows.push_back(std::move(arrow));
        }
    }
    return drawing;
}

}  // namespace

TEST_CASE("boxes and labels of a drawing do not overlap", "[sdk][policy]") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        Drawing drawing = random_drawing(seed);
        place(drawing);
        std::vector<Box> all = drawing.boxes;
        for (const Arrow& arrow : drawing.arrows) {
            all.push_back(arrow.label);
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i].centre.x - all[i].width / 2 >= 0);
            CHECK(all[i].centre.x + all[i].width / 2 <= drawing.width);
            CHECK(all[i].centre.y - all[i].height / 2 >= 0);
            CHECK(all[i].centre.y + all[i].height / 2 <= drawing.height);
            for (std::size_t k = 0; k < i; ++k) {
                CHECK_FALSE(overlap(all[i], all[k]));
            }
        }
    }
}

TEST_CASE("every way of a drawing joins its two boxes", "[sdk][policy]") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        Drawing drawing = random_drawing(seed);
        place(drawing);
        for (const Arrow& arrow : drawing.arrows) {
            REQUIRE(arrow.way.size() >= 2);
            CHECK(is_on_border(arrow.way.front(), drawing.boxes[arrow.from]));
            CHECK(is_on_border(arrow.way.back(), drawing.boxes[arrow.to]));
        }
    }
}

TEST_CASE("a chain of arrows is drawn from top to bottom", "[sdk][policy]") {
    Drawing drawing;
    drawing.boxes.assign(4, {.width = 60, .height = 20});
    for (std::size_t i = 0; i < 3; ++i) {
        drawing.arrows.push_back({.from = i, .to = i + 1, .label = {.width = 30, .height = 14}});
    }
    place(drawing);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(drawing.boxes[i].centre.y < drawing.boxes[i + 1].centre.y);
        CHECK(std::abs(drawing.boxes[i].centre.x - drawing.boxes[i + 1].centre.x) < 1);
    }
}

TEST_CASE("names in a picture are escaped", "[sdk][policy]") {
    Graph graph{.title = "a<b>&\"c\".psl"};
    graph.nodes.push_back({.class_name = "lab.Plant", .tasks = {"one & two"}});
    const std::string svg = graph_svg(graph);
    CHECK(svg.find("a&lt;b&gt;&amp;&quot;c&quot;.psl") != std::string::npos);
    CHECK(svg.find("one &amp; two") != std::string::npos);
    CHECK(svg.find("a<b>") == std::string::npos);
}
