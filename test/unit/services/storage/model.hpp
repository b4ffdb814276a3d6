// SPDX-License-Identifier: Apache-2.0
// What a file system must show, kept in maps, and random operations on both.
#pragma once

#include "memory_device.hpp"

#include <functional>
#include <map>
#include <random>
#include <services/storage/file_system.hpp>
#include <string>
#include <vector>

namespace test_storage {

using namespace svc::storage;

struct ModelNode {
    Kind kind = Kind::None;
    u16 mode = 0;
    u32 links = 1;
    std::string content{};                 ///< of a file; target of a symbolic link
    std::map<std::string, int> entries{};  ///< of a directory
    Node node{};                           ///< in the file system
    int parent = 0;
};

/// Node 0 is the root.
struct Model {
    std::map<int, ModelNode> nodes;
    int next = 1;

    /// The whole tree as text: path, kind, mode, links, size and hash of the content.
    [[nodiscard]] std::string text() const;
};

/// The same of a file system. A part that cannot be read is told as an error.
std::string text_of(FileSystem& fs);

/// What random operations look like.
struct Mix {
    u32 max_write = 20000;
    u32 max_offset = 60000;
    u32 sync_in = 10;        ///< one operation of so many
    u32 small_appends = 20;  ///< percent of the operations
    u32 keeps_open = 5;      ///< percent of the removed nodes that stay in use for a while
    bool is_plain = false;   ///< no links of any kind, and all modes are 0755
};

/// Makes random operations on a file system and, if they succeed, on a model; what they answer must
/// be what the model says, or NoSpace or Quota, or Io if `may_fail`.
class Player final {
public:
    Player(FileSystem& fs, u64 seed, const Mix& mix) : fs_(&fs), random_(seed), mix_(mix) {
        model.nodes[0] = {.kind = Kind::Directory, .mode = 0755, .node = fs.root()};
    }

    enum class Did : u8 { Changed, Synced, Refused };

    /// One operation. Throws std::runtime_error if the answer is wrong.
    Did play();

    /// `count` operations; after each 250 compares everything and calls `check`. Throws as play().
    void play(u32 count, const std::function<void()>& check);

    /// Forgets the nodes that were kept in use.
    void forget_all();

    Model model;
    bool may_fail = false;
    bool has_failed = false;  ///< an operation answered Io
    u64 refused_for_space = 0;

private:
    u32 below(u32 limit) { return limit == 0 ? 0 : static_cast<u32>(random_() % limit); }

    int pick(Kind kind);
    std::string pick_name(const ModelNode& directory, bool existing);
    Did finish(Error error);
    Did expect(Error got, Error wanted, const char* what);
    Did create(Kind kind);
    Did write(u32 most, bool at_end);
    Did truncate();
    Did unlink();
    Did rename();
    Did link();
    Did chmod();
    Did read();
    void removed(Node node, Error& error);
    [[nodiscard]] bool is_below(int node, int ancestor) const;
    void drop(int number);

    FileSystem* fs_;
    std::mt19937_64 random_;
    Mix mix_;
    std::vector<Node> kept_;
};

}  // namespace test_storage
