// SPDX-License-Identifier: Apache-2.0
// Widths of texts are estimated, since no font is at hand: a sans-serif font is on average little
// more than half as wide as high. What is estimated is always a bit too wide.
#include "graph_svg.hpp"

#include "layout.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

constexpr double kNameSize = 14;
constexpr double kSmallSize = 11;
constexpr double kWidthPerSize = 0.58;
constexpr double kLineHeight = 14;
constexpr double kPadding = 8;
constexpr std::size_t kMaxMethods = 6;  ///< of one endpoint on one arrow; then "and 3 more"
constexpr std::size_t kMaxLine = 34;    ///< characters of a line of methods

constexpr const char* kStyle = R"(<style>
  text { font-family: "DejaVu Sans", "Helvetica Neue", Arial, sans-serif; fill: #1b2733; }
  .title { font-size: 16px; font-weight: bold; }
  .name { font-size: 14px; font-weight: bold; text-anchor: middle; }
  .small { font-size: 11px; text-anchor: middle; fill: #54626f; }
  .label { font-size: 11px; text-anchor: middle; }
  .interface { font-weight: bold; }
  .node rect { fill: #eef4fb; stroke: #3b6ea5; stroke-width: 1.5; }
  .kernel rect { fill: #f0f0f0; stroke: #5a5a5a; }
  .cycle rect { stroke: #b3261e; }
  .reached rect { fill: #ffe9b8; }
  .start rect { stroke-width: 4; }
  .edge path { fill: none; stroke: #5d6b78; stroke-width: 1.4; }
  .edge .back { fill: #ffffff; stroke: #d5dbe1; stroke-width: 1; }
  .edge.cycle path { stroke: #b3261e; }
  .edge.reached path { stroke-width: 2.6; }
  .edge.unused path { stroke: #9aa5af; stroke-dasharray: 5 4; }
  .edge.unused text { fill: #7b8794; font-style: italic; }
  .faint text { fill: #b4bdc6; }
  .node.faint rect { fill: #fafbfc; stroke: #cdd6df; }
  .edge.faint path { stroke: #cdd4da; }
  .edge.faint .back { stroke: #eceff2; }
</style>
)";

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '&':
            result += "&amp;";
            break;
        case '"':
            result += "&quot;";
            break;
        default:
            result += c;
        }
    }
    return result;
}

double width_of(const std::string& text, double size) {
    return static_cast<double>(text.size()) * size * kWidthPerSize;
}

struct Line {
    std::string text{};
    bool is_interface = false;
};

/// "Open, Read *, Close" in lines of bearable length.
void add_methods(const GraphLink& link, std::vector<Line>& lines) {
    std::string line;
    for (std::size_t i = 0; i < link.methods.size(); ++i) {
        const bool is_cut = i == kMaxMethods && link.methods.size() > kMaxMethods + 1;
        const std::string word =
            is_cut ? fmt::format("and {} more", link.methods.size() - i)
                   : link.methods[i].name + (link.methods[i].is_conditional ? " *" : "");
        if (!line.empty() && line.size() + word.size() + 2 > kMaxLine) {
            lines.push_back({line + (is_cut ? "" : ",")});
            line.clear();
        }
        line += (line.empty() ? "" : (is_cut ? " " : ", ")) + word;
        if (is_cut) {
            break;
        }
    }
    lines.push_back({line});
}

std::vector<Line> label_of(const GraphEdge& edge) {
    std::vector<Line> lines;
    for (const GraphLink& link : edge.links) {
        lines.push_back({link.label, true});
        add_methods(link, lines);
    }
    if (lines.empty()) {
        lines.push_back({"nothing is granted"});
    }
    return lines;
}

std::string joined(const std::vector<std::string>& words) {
    std::string result;
    for (const std::string& word : words) {
        result += (result.empty() ? "" : ", ") + word;
    }
    return result;
}

/// A smooth way: each piece leaves and arrives vertically, or horizontally in a loop.
std::string path_of(const std::vector<Point>& way, bool is_loop) {
    std::string path = fmt::format("M{:.1f},{:.1f}", way[0].x, way[0].y);
    if (is_loop) {
        return path + fmt::format(" C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}",
                                  way[1].x,
                                  way[1].y,
                                  way[2].x,
                                  way[2].y,
                                  way[3].x,
                                  way[3].y);
    }
    for (std::size_t i = 1; i < way.size(); ++i) {
        const Point a = way[i - 1];
        const Point b = way[i];
        if (a.x == b.x) {
            path += fmt::format(" L{:.1f},{:.1f}", b.x, b.y);
            continue;
        }
        const double middle = (a.y + b.y) / 2;
        path += fmt::format(
            " C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", a.x, middle, b.x, middle, b.x, b.y);
    }
    return path;
}

class Painter final {
public:
    explicit Painter(const Graph& graph) : graph_(graph) {}

    std::string run() {
        for (const GraphNode& node : graph_.nodes) {
            const double width = std::max({width_of(node.class_name, kNameSize),
                                           width_of(joined(node.tasks), kSmallSize),
                                           80.0});
            drawing_.boxes.push_back(
                {.width = width + 2 * kPadding + 8, .height = node.tasks.empty() ? 34.0 : 48.0});
        }
        for (const GraphEdge& edge : graph_.edges) {
            Arrow arrow{.from = edge.client, .to = edge.server};
            labels_.push_back(label_of(edge));
            for (const Line& line : labels_.back()) {
                arrow.label.width =
                    std::max(arrow.label.width,
                             width_of(line.text, kSmallSize) * (line.is_interface ? 1.1 : 1.0));
            }
            arrow.label.width += 2 * kPadding;
            arrow.label.height =
                static_cast<double>(labels_.back().size()) * kLineHeight + kPadding;
            drawing_.arrows.push_back(std::move(arrow));
        }
        place(drawing_);
        return paint();
    }

private:
    [[nodiscard]] std::string paint() const {
        const std::vector<std::string> legend = legend_lines();
        double width = drawing_.width;
        for (const std::string& line : legend) {
            width = std::max(width, width_of(line, kSmallSize) + 48);
        }
        const double head = 36;
        const double foot = static_cast<double>(legend.size()) * kLineHeight + 16;
        const double height = drawing_.height + head + foot;
        std::string svg = fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
                                      "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
                                      width,
                                      height);
        svg += kStyle;
        svg += marker("arrow", "#5d6b78") + marker("arrow-cycle", "#b3261e") +
               marker("arrow-unused", "#9aa5af") + marker("arrow-faint", "#cdd4da");
        svg += fmt::format("<rect width=\"{:.0f}\" height=\"{:.0f}\" fill=\"#ffffff\"/>\n"
                           "<text class=\"title\" x=\"24\" y=\"28\">{}</text>\n"
                           "<g transform=\"translate({:.1f},{:.0f})\">\n",
                           width,
                           height,
                           escaped(graph_.title),
                           (width - drawing_.width) / 2,
                           head);
        for (std::size_t i = 0; i < graph_.edges.size(); ++i) {
            svg += edge_path(i);
        }
        for (std::size_t i = 0; i < graph_.edges.size(); ++i) {
            svg += edge_label(i);
        }
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            svg += node(i);
        }
        svg += "</g>\n";
        double y = head + drawing_.height + kLineHeight;
        for (const std::string& line : legend) {
            svg += fmt::format("<text class=\"small\" style=\"text-anchor: start\" x=\"24\" "
                               "y=\"{:.0f}\">{}</text>\n",
                               y,
                               escaped(line));
            y += kLineHeight;
        }
        return svg + "</svg>\n";
    }

    [[nodiscard]] std::vector<std::string> legend_lines() const {
        std::vector<std::string> lines{
            "An arrow leads from a client to the server whose methods it may call; "
            "* marks methods granted under a condition."};
        if (std::ranges::any_of(graph_.edges, &GraphEdge::is_in_cycle)) {
            lines.emplace_back("Red: classes that call each other in a circle.");
        }
        if (graph_.has_start) {
            lines.emplace_back(
                "Yellow: reached by a chain of calls from the class with the thick border.");
        }
        if (std::ranges::any_of(graph_.edges, [](const GraphEdge& e) { return e.links.empty(); })) {
            lines.emplace_back("Dashed: a channel exists, but no rule grants anything on it.");
        }
        return lines;
    }

    static std::string marker(const char* id, const char* colour) {
        return fmt::format("<marker id=\"{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
                           "markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" "
                           "orient=\"auto\"><path d=\"M0,1 L10,5 L0,9 z\" fill=\"{}\"/></marker>\n",
                           id,
                           colour);
    }

    [[nodiscard]] bool is_faint(const GraphEdge& edge) const {
        return graph_.has_start && !edge.is_reached;
    }

    [[nodiscard]] std::string classes(const GraphEdge& edge) const {
        std::string names = "edge";
        names += edge.links.empty() ? " unused" : (edge.is_in_cycle ? " cycle" : "");
        names += edge.is_reached ? " reached" : (is_faint(edge) ? " faint" : "");
        return names;
    }

    [[nodiscard]] std::string edge_path(std::size_t number) const {
        const GraphEdge& edge = graph_.edges[number];
        const char* const head = is_faint(edge)       ? "arrow-faint"
                                 : edge.links.empty() ? "arrow-unused"
                                 : edge.is_in_cycle   ? "arrow-cycle"
                                                      : "arrow";
        return fmt::format("<g class=\"{}\"><path d=\"{}\" marker-end=\"url(#{})\"/></g>\n",
                           classes(edge),
                           path_of(drawing_.arrows[number].way, edge.client == edge.server),
                           head);
    }

    [[nodiscard]] std::string edge_label(std::size_t number) const {
        const Box& box = drawing_.arrows[number].label;
        std::string svg =
            fmt::format("<g class=\"{}\"><rect class=\"back\" x=\"{:.1f}\" y=\"{:.1f}\" "
                        "width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\"/>\n",
                        classes(graph_.edges[number]),
                        box.centre.x - box.width / 2,
                        box.centre.y - box.height / 2,
                        box.width,
                        box.height);
        double y = box.centre.y - box.height / 2 + kLineHeight;
        for (const Line& line : labels_[number]) {
            svg += fmt::format("<text class=\"label{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                               line.is_interface ? " interface" : "",
                               box.centre.x,
                               y,
                               escaped(line.text));
            y += kLineHeight;
        }
        return svg + "</g>\n";
    }

    [[nodiscard]] std::string node(std::size_t number) const {
        const GraphNode& entry = graph_.nodes[number];
        const Box& box = drawing_.boxes[number];
        std::string names = "node";
        names += entry.is_kernel ? " kernel" : "";
        names += entry.is_in_cycle ? " cycle" : "";
        names += entry.is_start ? " start" : "";
        names += entry.is_reached ? " reached" : (graph_.has_start ? " faint" : "");
        std::string svg = fmt::format("<g class=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" "
                                      "width=\"{:.1f}\" height=\"{:.1f}\" rx=\"7\"/>\n",
                                      names,
                                      box.centre.x - box.width / 2,
                                      box.centre.y - box.height / 2,
                                      box.width,
                                      box.height);
        svg += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                           box.centre.x,
                           box.centre.y + (entry.tasks.empty() ? 5 : -2),
                           escaped(entry.class_name));
        if (!entry.tasks.empty()) {
            svg += fmt::format("<text class=\"small\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                               box.centre.x,
                               box.centre.y + 15,
                               escaped(joined(entry.tasks)));
        }
        return svg + "</g>\n";
    }

    const Graph& graph_;
    Drawing drawing_;
    std::vector<std::vector<Line>> labels_;
};

}  // namespace

std::string graph_svg(const Graph& graph) { return Painter(graph).run(); }

}  // namespace sdk::policy
