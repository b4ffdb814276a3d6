// SPDX-License-Identifier: Apache-2.0
#include <runtime/fdt.hpp>

namespace sdk::fdt {

namespace {

using base::fdt::step;
using base::fdt::Step;
using base::fdt::Token;
using base::fdt::Walk;

/// Whether a node's name answers to `wanted`: exactly, or without the unit address.
bool name_matches(Text name, Text wanted) {
    if (name == wanted) {
        return true;
    }
    return wanted.find('@') == wanted.size() && name.find('@') != name.size() &&
           name.first(name.find('@')) == wanted;
}

/// The node behind the start of the one at `offset`, when only properties and tokens of the kind
/// `passed` stand between the two; kNoNode.
u32 node_behind(const Blob& blob, u32 offset, Token passed) {
    Step token = step(blob, offset);
    if (token.token != Token::BeginNode) {
        return kNoNode;
    }
    do {
        token = step(blob, token.next);
    } while (token.token == Token::Property || token.token == passed);
    return token.token == Token::BeginNode ? token.at : kNoNode;
}

/// The node that starts at `at` or behind Nops; kNoNode when something else does.
u32 node_at(const Blob& blob, u32 at) {
    const Step token = step(blob, at);
    return token.token == Token::BeginNode ? token.at : kNoNode;
}

/// The node that a path leads to from `node`; every part of it begins with '/'.
Result<Node> descend(Node node, Text path) {
    while (!path.empty()) {
        path = path.drop(1);
        const Text part = path.first(path.find('/'));
        if (!part.empty()) {
            TRY_VALUE(node, node.child(part));
        }
        path = path.drop(part.size());
    }
    return node;
}

}  // namespace

u32 next_sibling(const Blob& blob, u32 offset) {
    u32 depth = 0;
    u32 at = offset;
    for (;;) {
        const Step token = step(blob, at);
        if (token.token == Token::BeginNode) {
            ++depth;
        } else if (token.token == Token::EndNode && depth > 0) {
            --depth;
        } else if (token.token != Token::Property || depth == 0) {
            return kNoNode;
        }
        at = token.next;
        if (depth == 0) {
            return node_at(blob, at);
        }
    }
}

u32 following_node(const Blob& blob, u32 offset) {
    return node_behind(blob, offset, Token::EndNode);
}

PropertyRange& PropertyRange::operator++() {
    const Step token = step(blob_, next_);
    if (token.token != Token::Property) {
        done_ = true;
        return *this;
    }
    const Result<Text> name = base::fdt::property_name(blob_, token.name_offset);
    property_ = Property{name.ok() ? name.value() : Text{}, token.value};
    next_ = token.next;
    return *this;
}

Result<Walk> Node::walk() const {
    for (Walk walk{blob_}; walk.advance();) {
        if (walk.offset() >= offset_) {
            return walk.offset() == offset_ ? Result<Walk>{walk} : Status::InvalidArgument;
        }
    }
    return Status::InvalidArgument;
}

Result<Node> Node::parent() const {
    TRY_VALUE(const Walk here, walk());
    return here.depth() < 2 ? Status::ResourceNotFound : Result<Node>{Node{here.ancestor(0)}};
}

Result<Range> Node::reg(u32 index) const {
    TRY_VALUE(const Walk here, walk());
    return here.reg(index);
}

Result<Range> Node::address(u32 index) const {
    TRY_VALUE(const Walk here, walk());
    return here.address(index);
}

ChildRange Node::children() const {
    return ChildRange{Node{blob_, node_behind(blob_, offset_, Token::Property)}};
}

Result<Node> Node::child(Text wanted) const {
    for (const Node& each : children()) {
        if (name_matches(each.name(), wanted)) {
            return each;
        }
    }
    return Status::ResourceNotFound;
}

PropertyRange Node::properties() const {
    const Step begin = step(blob_, offset_);
    return PropertyRange{blob_, begin.token == Token::BeginNode ? begin.next : kNoNode};
}

Node Tree::root() const { return {blob_, node_at(blob_, 0)}; }

Result<Node> Tree::find(Text path) const {
    if (path.empty() || path[0] != '/') {
        return Status::InvalidArgument;
    }
    return descend(root(), path);
}

Result<Node> Tree::alias(Text name) const {
    TRY_VALUE(const Node aliases, find("/aliases"));
    TRY_VALUE(const Text path, aliases.read_text(name));
    return find(path);
}

Result<Node> Tree::resolve(Text path_or_alias) const {
    if (!path_or_alias.empty() && path_or_alias[0] == '/') {
        return find(path_or_alias);
    }
    const Text name = path_or_alias.first(path_or_alias.find('/'));
    TRY_VALUE(const Node node, alias(name));
    return descend(node, path_or_alias.drop(name.size()));
}

Result<Node> Tree::chosen_node(Text property) const {
    TRY_VALUE(const Node node, find("/chosen"));
    TRY_VALUE(const Text value, node.read_text(property));
    return resolve(value.first(value.find(':')));
}

Result<Node> Tree::find_phandle(u32 phandle) const {
    if (phandle == 0 || phandle == ~u32{0}) {
        return Status::ResourceNotFound;
    }
    for (const Node& node : nodes()) {
        const Result<u32> plain = node.read_u32("phandle");
        const Result<u32> number = plain.ok() ? plain : node.read_u32("linux,phandle");
        if (number.ok() && number.value() == phandle) {
            return node;
        }
    }
    return Status::ResourceNotFound;
}

Result<Tree> open(std::span<const u8> bytes) {
    TRY_VALUE(const Blob blob, base::fdt::open(bytes));
    return Tree{blob};
}

}  // namespace sdk::fdt
