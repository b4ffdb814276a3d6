// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/abi/call.hpp>
#include <lang/model.hpp>

using namespace test;

namespace {

std::string constant(const std::string& expression) {
    Folder folder;
    folder.file("T.idl", "package T\nconst SInt64 K = 6;\nconst SInt64 V = " + expression + ";\n");
    const Package* package = folder.package("T");
    if (package == nullptr || folder.diagnostics.has_errors()) {
        return folder.diagnostics.all().empty()
                   ? "?"
                   : std::to_string(static_cast<int>(folder.diagnostics.all()[0].code));
    }
    return package->definitions.back().constant->value.to_string();
}

}  // namespace

TEST_CASE("limits of the language are those of the ABI", "[lang][layout]") {
    CHECK(kMaxShortBytes == abi::kShortBytes);
    CHECK(kMaxFixedBytes == abi::kMaxFixedBytes);
    CHECK(kMaxArenaBytes == abi::kMaxArenaBytes);
    CHECK(kMaxMessageHandles == abi::kMaxHandlesPerMessage);
    CHECK(kHandleBytes == sizeof(abi::HandleDescriptor));
    CHECK(kRangeBytes == sizeof(abi::ArenaRange));
    CHECK(kImplicitEndpoints[0].id == abi::kIrqEndpoint);
    CHECK(kImplicitEndpoints[1].id == abi::kEventEndpoint);
    CHECK(kImplicitEndpoints[2].id == abi::kFaultEndpoint);
}

TEST_CASE("constant expressions follow the table of operators", "[lang][constant]") {
    CHECK(constant("1 + 2 * 3") == "7");
    CHECK(constant("(1 + 2) * 3") == "9");
    CHECK(constant("10 - 3 - 2") == "5");
    CHECK(constant("-7 / 2") == "-4");
    CHECK(constant("-7 % 2") == "1");
    CHECK(constant("7 % -2") == "-1");
    CHECK(constant("2 ** 10 - 1") == "1023");
    CHECK(constant("-2 ** 2") == "4");  // unary binds tightest
    CHECK(constant("~0") == "-1");
    CHECK(constant("(1 << 4) * 4") == "64");
    CHECK(constant("0x10 + 0o10 + K") == "30");
    CHECK(constant("(1 << 200) >> 190") == "1024");
    CHECK(constant("T.K * 2") == "12");
    CHECK(constant("1 << 2 + 1") == "2018");
    CHECK(constant("2 ** 2 ** 2") == "2018");
    CHECK(constant("1 / 0") == "2011");
    CHECK(constant("K ** -1") == "2012");
}

TEST_CASE("fields are aligned naturally and messages rounded to words", "[lang][layout]") {
    Folder folder;
    folder.file("T.idl",
                "package T\n"
                "struct Inner { UInt8 a; UInt32 b; UInt16 c; }\n"
                "interface { M(in UInt8 a, in UInt64 b, in Inner c, in array<UInt16, 3> d, "
                "out Handle h, out string<10> s, error UInt8 e); }\n");
    const Package* package = folder.package("T");
    REQUIRE(package != nullptr);
    const Method& method = package->methods.at(0);
    const auto& in = method.request.fields;
    CHECK(in.at(0).offset == 0);
    CHECK(in.at(1).offset == 8);
    CHECK(in.at(2).offset == 16);
    CHECK(in.at(2).type().size == 12);
    CHECK(in.at(2).type().fields.at(1).offset == 4);
    CHECK(in.at(2).type().fields.at(2).offset == 8);
    CHECK(in.at(3).offset == 28);
    CHECK(method.request.data_size == 34);
    CHECK(method.request.fixed_size == 40);
    CHECK(method.request.is_short());
    CHECK(method.response.handle_offsets == std::vector<std::uint16_t>{0});
    CHECK(method.response.fields.at(1).offset == 16);
    CHECK(method.response.arena_max == 16);  // 10 and the NUL, rounded up
    CHECK(method.response.has_text);
    CHECK_FALSE(method.response.is_short());
    CHECK(method.error.exists);
    CHECK(method.error.fixed_size == 8);
    CHECK(package->maxima.response_handles == 1);
    CHECK(package->maxima.request_fixed == 40);
}

TEST_CASE("a message of 56 bytes is short and one of 64 is not", "[lang][layout]") {
    Folder folder;
    folder.file(
        "T.idl",
        "package T\ninterface { A(in array<UInt64, 7> x); B(in array<UInt64, 8> x); C(); }");
    const Package* package = folder.package("T");
    CHECK(package->methods.at(0).request.is_short());
    CHECK_FALSE(package->methods.at(1).request.is_short());
    CHECK(package->methods.at(2).request.fixed_size == 0);
    CHECK(package->methods.at(2).request.is_short());
    CHECK_FALSE(package->methods.at(2).error.exists);
}

TEST_CASE("unions hold a tag and room for the largest member", "[lang][layout]") {
    Folder folder;
    folder.file("T.idl",
                "package T\n"
                "union Small { UInt8 a; UInt16 b; }\n"
                "union Big { UInt8 a; UInt64 b; string<5> c; }\n");
    const Package* package = folder.package("T");
    const Type& small = *package->definitions.at(0).record;
    CHECK(small.storage_offset == 4);
    CHECK(small.size == 8);
    CHECK(small.alignment == 4);
    const Type& big = *package->definitions.at(1).record;
    CHECK(big.storage_offset == 8);
    CHECK(big.size == 16);
    CHECK(big.has_range);
    CHECK(big.arena_max == 8);
}

TEST_CASE("arena maxima count nested data", "[lang][layout]") {
    Folder folder;
    folder.file("T.idl",
                "package T\n"
                "struct Entry { UInt32 id; string<11> name; sequence<UInt16, 3> more; }\n"
                "interface { M(in sequence<Entry, 4> e, in array<string<7>, 2> a); }\n");
    const Package* package = folder.package("T");
    const Message& request = package->methods.at(0).request;
    // 4 entries of 20 bytes, each with 16 bytes of name and 8 of numbers; two texts of 8.
    CHECK(request.arena_max == 80 + 4 * (16 + 8) + 2 * 8);
    CHECK(request.has_nested_range);
    CHECK(request.fields.at(0).type().stride() == 20);
    CHECK(request.fields.at(0).type().range_max() == 80);
    CHECK(request.fields.at(0).type().range_alignment() == 4);
}

TEST_CASE("handles in structs and arrays are found at their offsets", "[lang][layout]") {
    Folder folder;
    folder.file("T.idl",
                "package T\nstruct P { UInt32 x; Handle h; }\n"
                "interface { M(in UInt8 a, in array<P, 2> p, in handle<T> self); }");
    const Package* package = folder.package("T");
    REQUIRE_FALSE(folder.diagnostics.has_errors());
    const Message& request = package->methods.at(0).request;
    CHECK(request.handle_offsets == std::vector<std::uint16_t>{16, 40, 56});
    CHECK(request.fields.at(2).type().interface == package);
}

TEST_CASE("what holds handles stands in the fixed part and shares no place", "[lang][layout]") {
    Folder folder;
    folder.file(
        "T.idl",
        "package T\nstruct P { UInt8 x; Handle h; string<7> s; }\n"
        "union U { UInt64 a; Handle b; UInt8 c; P d; }\n"
        "interface { M(in U u, in sequence<P, 2> p, in sequence<sequence<Handle, 1>, 2> l); }");
    const Package* package = folder.package("T");
    INFO(folder.messages());
    REQUIRE_FALSE(folder.diagnostics.has_errors());
    const Type& choice = *package->definitions.at(1).record;
    CHECK(choice.storage_offset == 8);
    CHECK(choice.fields.at(0).offset == 8);
    CHECK(choice.fields.at(1).offset == 16);
    CHECK(choice.fields.at(2).offset == 8);
    CHECK(choice.fields.at(3).offset == 32);
    CHECK(choice.size == 64);
    const Message& request = package->methods.at(0).request;
    const Type& list = request.fields.at(1).type();
    CHECK(list.kind == Type::Kind::List);
    CHECK(list.text() == "sequence<P, 2>");
    CHECK(list.size == 8 + 2 * 32);
    CHECK_FALSE(list.is_variable());
    CHECK(request.fields.at(2).offset == 64 + 72);
    CHECK(
        request.handle_offsets ==
        std::vector<std::uint16_t>{16, 40, 64 + 8 + 8, 64 + 8 + 40, 136 + 8 + 8, 136 + 8 + 24 + 8});
    CHECK(request.arena_max == 8 + 2 * 8);
    CHECK(request.has_range);
    CHECK_FALSE(request.has_nested_range);
}

TEST_CASE("names come from imports, forward references and full names", "[lang][resolve]") {
    Folder folder;
    folder.file("a/Types.idl", "package a.Types\ntypedef UInt16 Percent;\nconst UInt8 N = 3;\n")
        .file("a/More.idl", "package a.More\ntypedef UInt64 Long;\n")
        .file("T.idl",
              "package T\nimport a.Types\n"
              "struct S { Later l; Percent p; a.More.Long far; array<Percent, N> list; }\n"
              "typedef UInt32 Later;\n");
    const Package* package = folder.package("T");
    INFO(folder.messages());
    REQUIRE(package != nullptr);
    CHECK(folder.codes().empty());
    CHECK(package->definitions.at(0).alias->name == "Later");  // what others need comes first
    CHECK(package->definitions.at(1).record->fields.at(2).use.alias->package->name == "a.More");
    CHECK(package->imports.size() == 2);
    CHECK(folder.workspace.packages().back() == package);
}

TEST_CASE("a package is resolved once and complained about once", "[lang][resolve]") {
    Folder folder;
    folder.file("T.idl", "package T\ntypedef Nothing X;\n");
    const Package* first = folder.package("T");
    CHECK(first != nullptr);
    CHECK(folder.package("T") == first);
    CHECK(folder.codes() == std::vector<int>{2005});
    CHECK(folder.package("Missing") == nullptr);
    CHECK(folder.package("Missing") == nullptr);
    CHECK(folder.codes() == std::vector<int>{2005, 1020});
}

TEST_CASE("interfaces may hand out handles of each other", "[lang][resolve]") {
    Folder folder;
    folder.file("A.idl", "package A\ninterface { Get(out handle<B> b); }")
        .file("B.idl", "package B\ninterface { Back(out handle<A> a); }");
    const Package* a = folder.package("A");
    CHECK(folder.codes().empty());
    CHECK(a->methods.at(0).response.fields.at(0).type().interface == folder.package("B"));
}

TEST_CASE("endpoints are numbered depth first in the order written", "[lang][class]") {
    Folder folder;
    folder.file("I.idl", "package I\ninterface { Do(in UInt32 x); }")
        .file("J.idl", "package J\ninterface { Ask(in UInt8 y); }")
        .file("Leaf.cdl", "component Leaf\nendpoints { a : I b : I }\nsecurity J")
        .file("Mid.cdl", "component Mid\ncomponents { l : Leaf }\nendpoints { c : I }")
        .file("C.edl",
              "task class C\nsecurity J\ncomponents { m : Mid n : Leaf }\nendpoints { d : I }")
        .file("D.edl", "entity D\nendpoints { d : I }\ncomponents { m : Leaf }");
    const ProcessClass* process = folder.process("C");
    INFO(folder.messages());
    REQUIRE(process != nullptr);
    std::string paths;
    for (const Endpoint& endpoint : process->endpoints) {
        paths += std::to_string(endpoint.id) + "=" + endpoint.path + " ";
    }
    CHECK(paths == "0=m.l.a 1=m.l.b 2=m.c 3=n.a 4=n.b 5=d ");
    CHECK(process->endpoints[0].component_types == std::vector<std::string>{"Mid", "Leaf"});
    CHECK(process->find_endpoint("m.c")->component_types == std::vector<std::string>{"Mid"});
    CHECK(process->find_endpoint("nope") == nullptr);
    std::string owners;
    for (const SecurityEndpoint& owner : process->security) {
        owners += std::to_string(owner.id) + "=" + owner.path + "/" + owner.component_type + " ";
    }
    CHECK(owners == "0=/ 1=m.l/Leaf 2=n/Leaf ");
    CHECK(folder.process("D")->endpoints[0].path == "d");
    CHECK(process->maxima.request_fixed == 8);
}

TEST_CASE("a tree of components that multiplies is refused in time", "[lang][class]") {
    Folder folder;
    folder.file("C0.cdl", "component C0");
    for (int i = 1; i <= 60; ++i) {
        const std::string below = "C" + std::to_string(i - 1);
        folder.file("C" + std::to_string(i) + ".cdl",
                    "component C" + std::to_string(i) + "\ncomponents { a : " + below +
                        " b : " + below + " }");
    }
    folder.file("T.edl", "entity T\ncomponents { a : C60 }");
    folder.process("T");
    CHECK(folder.has(Code::TooManyEndpoints));
}

TEST_CASE("long chains of imports and forward references end in a message", "[lang][resolve]") {
    Folder folder;
    std::string chain = "package Chain\n";
    for (int i = 0; i < 5000; ++i) {
        chain += "const UInt8 A" + std::to_string(i) + " = A" + std::to_string(i + 1) + ";\n";
    }
    folder.file("Chain.idl", chain + "const UInt8 A5000 = 1;\n");
    for (int i = 0; i < 200; ++i) {
        folder.file("P" + std::to_string(i) + ".idl",
                    "package P" + std::to_string(i) + "\nimport P" + std::to_string(i + 1) + "\n");
    }
    folder.file("P200.idl", "package P200");
    folder.package("Chain");
    CHECK(folder.has(Code::TooDeep));
    const std::size_t before = folder.diagnostics.error_count();
    folder.package("P0");
    CHECK(folder.diagnostics.error_count() == before + 1);
}

TEST_CASE("types that nest by their names stay below the limit", "[lang][resolve]") {
    Folder folder;
    std::string text = "package T\ntypedef array<UInt8, 1> T0;\n";
    for (int i = 1; i < 300; ++i) {
        text += "typedef array<T" + std::to_string(i - 1) + ", 1> T" + std::to_string(i) + ";\n";
    }
    folder.file("T.idl", text);
    folder.package("T");
    CHECK(folder.has(Code::TooDeep));
}

TEST_CASE("every description that ships resolves without a message", "[lang][resolve]") {
    Run run;
    Workspace workspace{run.sources, run.diagnostics};
    const std::filesystem::path root{INTERFACES};
    workspace.add_include_directory(root.string());
    std::size_t count = 0;
    for (const auto& item : std::filesystem::recursive_directory_iterator(root)) {
        const std::string extension = item.path().extension().string();
        if (extension == ".idl" || extension == ".cdl" || extension == ".edl") {
            workspace.check_file(item.path().string());
            ++count;
        }
    }
    INFO(run.diagnostics.to_text(Diagnostics::Colour::Never));
    CHECK(run.codes().empty());
    CHECK(count > 30);
    const ProcessClass* core = workspace.find_class("kl.core.Core", {});
    REQUIRE(core != nullptr);
    CHECK(core->endpoints.at(0).path == "vmm.VMM");
}

TEST_CASE("tags in an interface's comment say how far its methods reach", "[lang][model]") {
    Folder folder;
    folder.file("T.idl",
                "package T\n"
                "/* Lamps.\n"
                "   @safe Look\n"
                "      Count\n"
                "   @dangerous Switch Nothing */\n"
                "interface { Look(); Count(); Switch(); Burn(); }\n");
    const Package* package = folder.package("T");
    REQUIRE(package != nullptr);
    CHECK(package->find_method("Look")->reach == Reach::Safe);
    CHECK(package->find_method("Count")->reach == Reach::Safe);
    CHECK(package->find_method("Switch")->reach == Reach::Dangerous);
    CHECK(package->find_method("Burn")->reach == Reach::Unstated);
}

TEST_CASE("an interface's comment is what stands before its tags", "[lang][model]") {
    Folder folder;
    folder.file("T.idl",
                "package T\n"
                "/* Lamps,\n   of all kinds.\n   @safe Look */\n"
                "interface { Look(); }\n");
    const Package* package = folder.package("T");
    REQUIRE(package != nullptr);
    CHECK(package->interface_doc == "Lamps,\nof all kinds.");
}
