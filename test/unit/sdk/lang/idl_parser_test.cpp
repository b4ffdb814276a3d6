// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <lang/cursor.hpp>

using namespace test;

TEST_CASE("a whole package is read", "[lang][idl]") {
    Run run;
    const idl::Package package =
        run.idl("package lab.Valve\n"
                "import kl.core.Types\n"
                "const UInt32 Max = (1 << 4) * 4;\n"
                "typedef UInt16 Percent;\n"
                "struct Limits { Percent low; Percent high; };\n"
                "union Value { UInt8 a; string<4> b; }\n"
                "interface {\n"
                "    Set(in Percent value, out UInt8 ok, error UInt32 f);\n"
                "    Get(out sequence<UInt16, 32> values);\n"
                "    Nothing();\n"
                "};\n");
    CHECK(run.codes().empty());
    CHECK(package.name.text() == "lab.Valve");
    CHECK(package.imports.size() == 1);
    CHECK(package.definitions.size() == 4);
    REQUIRE(package.interface);
    CHECK(package.interface->methods.size() == 3);
    CHECK(package.interface->methods[0].parameters[2].direction == idl::Direction::Error);
}

TEST_CASE("words of the language are names where a name is expected", "[lang][idl]") {
    Run run;
    const idl::Package package = run.idl("package a.interface\n"
                                         "const UInt8 const = 1;\n"
                                         "typedef UInt8 bytes;\n"
                                         "struct struct { bytes string; array<bytes, const> in; }\n"
                                         "interface { interface(in struct in, out bytes out, "
                                         "error UInt8 error); import(); }\n");
    CHECK(run.codes().empty());
    CHECK(package.interface->methods.size() == 2);
}

TEST_CASE("one mistake costs one message and the rest is read", "[lang][idl]") {
    Run run;
    const idl::Package package = run.idl("package T\n"
                                         "const UInt8 = 1;\n"
                                         "typedef UInt8 Good;\n"
                                         "struct S { UInt8; UInt16 b; }\n"
                                         "interface {\n"
                                         "    Broken(UInt8 a);\n"
                                         "    Fine(in UInt8 a);\n"
                                         "    Open(in UInt8 a;\n"
                                         "    Last();\n"
                                         "}\n");
    CHECK(run.codes() == std::vector<int>{1011, 1011, 1011, 1011});
    CHECK(package.definitions.size() == 2);
    CHECK(package.interface->methods.size() == 2);
}

TEST_CASE("both headers of process classes and both section words are read", "[lang][edl]") {
    Run run;
    const idl::ClassFile one = run.edl("entity lab.Panel\nsecurity lab.Ask");
    const idl::ClassFile two =
        run.edl("task class lab.Plant\r\ncomponents { act : lab.Act }\r\n"
                "interfaces { interface : lab.Valve endpoints : lab.Valve }");
    CHECK(run.codes().empty());
    CHECK(one.name.text() == "lab.Panel");
    CHECK(two.sections.size() == 2);
    CHECK(two.sections[1].instances[0].name.text == "interface");
    CHECK(run.edl("entity Alone").sections.empty());
    CHECK(run.codes().empty());
}

TEST_CASE("an entry that cannot be read does not hide the next", "[lang][edl]") {
    Run run;
    const idl::ClassFile file = run.edl("entity T\nendpoints { a b : X.Y c : . d : Z }");
    REQUIRE(file.sections.size() == 1);
    CHECK(file.sections[0].instances.size() == 2);
    CHECK(run.codes() == std::vector<int>{1011, 1011});
}

TEST_CASE("hostile nesting ends in a message", "[lang][idl]") {
    for (const char* piece : {"(", "-", "~", "1 + (", "array<", "sequence<array<"}) {
        Run run;
        std::string text = "package T\nconst UInt8 A = ";
        if (std::string_view{piece}.ends_with('<')) {
            text = "package T\ntypedef ";
        }
        for (int i = 0; i < 100'000; ++i) {
            text += piece;
        }
        run.idl(text);
        CHECK(run.has(Code::TooDeep));
    }
}

TEST_CASE("a long chain of operators ends in a message", "[lang][idl]") {
    Run run;
    std::string text = "package T\nconst UInt32 A = 1";
    for (int i = 0; i < 100'000; ++i) {
        text += " + 1";
    }
    run.idl(text + ";");
    CHECK(run.codes() == std::vector<int>{1009});
}
