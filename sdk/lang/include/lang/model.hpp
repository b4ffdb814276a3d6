// SPDX-License-Identifier: Apache-2.0
// What descriptions mean: every name resolved, every size computed, every message laid out. The
// compilers read this and never a syntax tree of IDL, EDL or CDL. Objects are owned by the
// Workspace and live as long as it does; types nest at most kMaxNesting deep, so recursion over
// them is safe.
#pragma once

#include <cstdint>
#include <lang/integer.hpp>
#include <lang/source.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

struct Package;
struct Type;
struct Alias;

/// A type as used somewhere: what it is, and the typedef it was named by, if any.
struct TypeUse {
    const Type* type = nullptr;
    const Alias* alias = nullptr;
};

/// A struct or union member, or a parameter.
struct Field {
    std::string name;
    Span span;  ///< of the name
    std::string doc;
    TypeUse use;
    std::uint32_t offset = 0;  ///< from the start of what it belongs to

    [[nodiscard]] const Type& type() const { return *use.type; }
};

struct Type {
    enum class Kind : std::uint8_t {
        Integer,   ///< bits, is_signed
        Handle,    ///< abi::HandleDescriptor; interface_name when handle<I>
        Bytes,     ///< abi::ArenaRange; count = most bytes
        String,    ///< abi::ArenaRange; count = most bytes without the NUL
        Array,     ///< element, count, inline
        Sequence,  ///< abi::ArenaRange; element, count = most elements
        List,      ///< a sequence whose elements hold handles: UInt32 count, then in place, from
                   ///< kListHeader on, room for `count` elements
        Struct,    ///< fields
        Union,     ///< UInt32 tag = index of the active field; fields without handles share the
                   ///< storage from storage_offset on, those with handles stand behind it
    };

    Kind kind = Kind::Integer;
    std::uint8_t bits = 0;  ///< 8, 16, 32, 64
    bool is_signed = false;
    std::uint32_t count = 0;
    TypeUse element;
    std::string interface_name;
    const Package* interface = nullptr;  ///< of handle<I>; null when that failed
    std::vector<Field> fields;
    std::uint32_t storage_offset = 0;

    std::string name;  ///< Struct, Union: as declared; Integer: as in IDL ("UInt32")
    const Package* package = nullptr;  ///< Struct, Union: where declared
    Span span;
    std::string doc;

    // Wire layout.
    std::uint32_t size = 0;          ///< inline bytes, multiple of alignment
    std::uint32_t alignment = 1;     ///< 1, 2, 4, 8
    std::uint64_t arena_max = 0;     ///< most arena bytes of one value, nested ones included, each
                                     ///< part rounded up to 8
    std::uint32_t handle_count = 0;  ///< HandleDescriptors inline
    std::uint32_t height = 1;        ///< nesting
    bool has_text = false;           ///< contains a string at any depth
    bool has_tag = false;            ///< contains a union or a List at any depth: a number in
                                     ///< place that must be in bounds
    bool has_range = false;          ///< an ArenaRange stands inline, at any depth
    bool has_nested_range = false;   ///< arena data contains an ArenaRange

    /// Bytes, String, Sequence: one ArenaRange inline.
    [[nodiscard]] bool is_variable() const {
        return kind == Kind::Bytes || kind == Kind::String || kind == Kind::Sequence;
    }

    /// Most bytes the range of a variable type may span (string: with its NUL).
    [[nodiscard]] std::uint64_t range_max() const;

    /// Alignment its arena data needs: of the element; 1 for bytes and strings.
    [[nodiscard]] std::uint32_t range_alignment() const;

    /// Bytes from one element of a sequence or array to the next.
    [[nodiscard]] std::uint32_t stride() const;

    /// As written in IDL: "sequence<UInt16, 32>".
    [[nodiscard]] std::string text() const;

    /// Of a type with handles: where its HandleDescriptors stand, rising.
    [[nodiscard]] std::vector<std::uint16_t> handle_offsets() const;
};

struct Alias {
    std::string name;
    const Package* package = nullptr;
    Span span;
    std::string doc;
    TypeUse use;
};

struct ConstantValue {
    std::string name;
    const Package* package = nullptr;
    Span span;
    std::string doc;
    TypeUse use;  ///< an Integer type
    Integer value;
};

/// A definition in the order written: exactly one pointer is set.
struct Definition {
    const ConstantValue* constant = nullptr;
    const Alias* alias = nullptr;
    const Type* record = nullptr;
};

/// One direction of a method.
struct Message {
    bool exists = true;  ///< false: an error message without parameters cannot be sent
    std::vector<Field> fields;
    std::uint32_t data_size = 0;   ///< end of the last field
    std::uint32_t fixed_size = 0;  ///< data_size rounded up to 8
    std::uint32_t arena_max = 0;
    std::uint32_t handle_count = 0;
    std::vector<std::uint16_t> handle_offsets;  ///< of the HandleDescriptors, rising
    bool has_text = false;
    bool has_tag = false;
    bool has_range = false;
    bool has_nested_range = false;

    /// All in registers: abi::Tag::make_short.
    [[nodiscard]] bool is_short() const;
};

/// What granting a method means, as the interface's comment says in its lines `@safe` and
/// `@dangerous`, each followed by names of methods.
enum class Reach : std::uint8_t {
    Unstated,
    Safe,       ///< the caller, what it holds handles to, and its own budget
    Dangerous,  ///< others: processes, devices, the clock, the machine
};

struct Method {
    std::string name;
    Span span;  ///< of the name
    std::string doc;
    std::uint16_t id = 0;
    Reach reach = Reach::Unstated;
    Message request;
    Message response;
    Message error;
};

/// Largest messages of a set of methods. Response counts error messages too.
struct Maxima {
    std::uint32_t request_fixed = 0;
    std::uint32_t request_arena = 0;
    std::uint32_t request_handles = 0;
    std::uint32_t response_fixed = 0;
    std::uint32_t response_arena = 0;
    std::uint32_t response_handles = 0;

    void include(const Method& method);
    void include(const Maxima& other);
};

/// One .idl file.
struct Package {
    std::string name;
    std::uint32_t source = 0;
    std::string doc;
    std::vector<const Package*> imports;
    std::vector<Definition> definitions;
    bool has_interface = false;
    std::string interface_doc;  ///< without its tags
    std::vector<Method> methods;
    Maxima maxima;

    [[nodiscard]] const Method* find_method(std::string_view method) const;
};

/// An endpoint of a process class, flattened.
struct Endpoint {
    std::uint16_t id = 0;
    std::string path;  ///< component instances joined by dots, then the endpoint's own name
    std::string doc;
    Span span;
    const Package* interface = nullptr;
    std::vector<std::string> component_types;  ///< enclosing components' classes, outermost first
};

/// A security interface of a process class; these have their own numbering.
struct SecurityEndpoint {
    std::uint16_t id = 0;
    std::string path;            ///< component path of the owner; empty for the class itself
    std::string component_type;  ///< empty for the class itself
    Span span;
    const Package* interface = nullptr;
};

struct Component;

/// One line of an endpoints or components section: exactly one pointer is set.
struct Part {
    std::string name;
    const Package* interface = nullptr;
    const Component* component = nullptr;
};

struct ProcessClass {
    std::string name;
    std::uint32_t source = 0;
    Span span;  ///< of the name in its file
    std::string doc;
    std::vector<Part> parts;  ///< in the order written; `endpoints` is what they flatten to
    std::vector<Endpoint> endpoints;
    std::vector<SecurityEndpoint> security;
    Maxima maxima;  ///< over the declared endpoints

    [[nodiscard]] const Endpoint* find_endpoint(std::string_view path) const;
};

/// A component class: what an instance of it adds, paths relative to the instance, ids from 0.
struct Component {
    std::string name;
    std::uint32_t source = 0;
    std::string doc;
    std::vector<Part> parts;
    std::vector<Endpoint> endpoints;
    std::vector<SecurityEndpoint> security;
    std::vector<std::string> component_types;  ///< of all nested components
};

/// Endpoints that every class has without declaring them.
struct ImplicitEndpoint {
    std::uint16_t id;
    std::string_view path;
    std::string_view interface;
};

inline constexpr ImplicitEndpoint kImplicitEndpoints[] = {
    {0xFFF0, "tessera.irq", "tessera.Irq"},
    {0xFFF1, "tessera.event", "tessera.Event"},
    {0xFFF2, "tessera.fault", "tessera.Fault"},
};

// Limits of the system; kernel/abi/call.hpp has the same numbers and a test compares them.
inline constexpr std::uint32_t kMaxShortBytes = 56;
inline constexpr std::uint32_t kMaxFixedBytes = 4096;
inline constexpr std::uint32_t kMaxArenaBytes = 16u << 20;
inline constexpr std::uint32_t kMaxMessageHandles = 8;
inline constexpr std::uint32_t kMaxEndpoints = 1024;
inline constexpr std::uint32_t kMaxMethods = 1024;
inline constexpr std::uint32_t kHandleBytes = 16;
inline constexpr std::uint32_t kRangeBytes = 8;
inline constexpr std::uint32_t kListHeader = 8;  ///< from a List's count to its first element

}  // namespace sdk::lang
