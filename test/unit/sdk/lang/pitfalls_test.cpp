// SPDX-License-Identifier: Apache-2.0
// What real files of solutions do that a grammar on paper forgets, one case each.
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace test;

/// Parses a policy that must be without any message.
psl::File clean_policy(const std::string& text) {
    Run run;
    psl::File file = run.psl(text);
    INFO(text);
    INFO(run.diagnostics.to_text(Diagnostics::Colour::Never));
    CHECK(run.diagnostics.all().empty());
    return file;
}

const psl::Binding& binding(const psl::File& file, std::size_t index) {
    const auto* found = std::get_if<psl::Binding>(&file.declarations.at(index));
    REQUIRE(found != nullptr);
    return *found;
}

std::string value_of(const psl::Binding& binding, psl::SelectorKind kind) {
    for (const psl::Selector& selector : binding.selectors) {
        if (selector.kind == kind) {
            return selector.value.text();
        }
    }
    return {};
}

}  // namespace

TEST_CASE("no word is reserved", "[sdk][lang]") {
    // Every word of the languages where a name stands.
    const std::vector<std::string> words = {
        "interface", "error",   "security", "method",    "endpoint", "component", "src",
        "dst",       "match",   "choice",   "audit",     "policy",   "object",    "type",
        "config",    "use",     "task",     "class",     "entity",   "execute",   "request",
        "response",  "default", "profile",  "assert",    "grant",    "deny",      "any",
        "setup",     "finally", "sequence", "endpoints", "package",  "import",    "const",
        "typedef",   "struct",  "union",    "in",        "out",      "string",    "array",
        "handle",    "message", "EDL"};
    for (const std::string& word : words) {
        INFO(word);
        Run run;
        const idl::ClassFile file =
            run.edl("task class T\nendpoints {\n  " + word + " : I\n  other : a." + word + "\n}\n");
        CHECK(run.diagnostics.all().empty());
        REQUIRE(file.sections.size() == 1);
        CHECK(file.sections[0].instances.size() == 2);
        CHECK(file.sections[0].instances[0].name.text == word);

        const psl::File policy =
            clean_policy("request dst=a." + word + " endpoint=" + word + ".log method=" + word +
                         " { assert (message." + word + " == 1 && message.a." + word + " < 2) }\n");
        CHECK(value_of(binding(policy, 0), psl::SelectorKind::Endpoint) == word + ".log");
        CHECK(value_of(binding(policy, 0), psl::SelectorKind::Method) == word);

        const std::vector<std::string> types = {
            "in", "out", "error", "string", "array", "handle", "sequence"};
        if (std::ranges::find(types, word) == types.end()) {
            Run parameters;
            const idl::Package package =
                parameters.idl("package T\ninterface { M(in UInt8 " + word + "); }\n");
            CHECK(parameters.diagnostics.all().empty());
            CHECK(package.name.text() == "T");
        }
    }
    Run run;
    static_cast<void>(run.idl("package T\ninterface { error(in UInt8 in, out UInt8 out, error "
                              "UInt8 error); interface(in UInt8 sequence); }\n"));
    CHECK(run.diagnostics.all().empty());
}

TEST_CASE("a process class begins with entity or task class", "[sdk][lang]") {
    for (const char* text : {"entity a.B\n",
                             "task class a.B\n",
                             "entity a.B endpoints { x : I }",
                             "task\nclass\na.B\ninterfaces { x : I }"}) {
        Run run;
        const idl::ClassFile file = run.edl(text);
        INFO(text);
        CHECK(run.diagnostics.all().empty());
        CHECK(file.name.text() == "a.B");
    }
}

TEST_CASE("execute: is a declaration, execute { a section", "[sdk][lang]") {
    const psl::File both = clean_policy("execute: kl.core.Execute\nexecute { grant () }\n"
                                        "execute src=a.B dst=c.D { grant () }\n");
    REQUIRE(both.declarations.size() == 3);
    CHECK(std::holds_alternative<psl::ExecuteDecl>(both.declarations[0]));
    CHECK(binding(both, 1).event == psl::EventKind::Execute);
    CHECK(binding(both, 2).selectors.size() == 2);
    CHECK(clean_policy("execute : kl.core.Execute").declarations.size() == 1);
    CHECK(clean_policy("execute{grant()}").declarations.size() == 1);
}

TEST_CASE("a file may end without a line end and have any line ends", "[sdk][lang]") {
    const std::string text = "// note\nuse a.b._\nrequest src=a.B\n{ grant () } // end";
    const std::size_t count = clean_policy(text).declarations.size();
    CHECK(count == 2);
    for (const char* end : {"\r\n", "\r"}) {
        std::string other;
        for (const char c : text) {
            other += c == '\n' ? std::string{end} : std::string{c};
        }
        CHECK(clean_policy(other).declarations.size() == count);
    }
    Run run;
    static_cast<void>(run.idl("package T\r\nconst UInt8 A = 1;\r\ninterface {\r\n  M();\r\n}"));
    CHECK(run.edl("entity T\r\nendpoints {\r\n x : I }").sections.size() == 1);
    CHECK(run.diagnostics.all().empty());
    Run wrong;
    static_cast<void>(wrong.psl("use a._\r\n\r\nbroken\r\n"));
    REQUIRE(wrong.diagnostics.all().size() == 1);
    const Span span = wrong.diagnostics.all()[0].span;
    CHECK(wrong.sources.get(span.file).position(span.begin).line == 3);
}

TEST_CASE("a byte-order mark is no part of the text", "[sdk][lang]") {
    CHECK(clean_policy("\xEF\xBB\xBFuse a.b._\n").declarations.size() == 1);
    Run run;
    CHECK(run.idl("\xEF\xBB\xBFpackage T\n").name.text() == "T");
    CHECK(run.edl("\xEF\xBB\xBF"
                  "entity T\n")
              .name.text() == "T");
    CHECK(run.diagnostics.all().empty());
}

TEST_CASE("lists, dictionaries and profiles may end in a comma", "[sdk][lang]") {
    static_cast<void>(
        clean_policy("policy object a : Flow { type State = \"x\" | \"y\"\n"
                     "config = { states : [\"x\", \"y\",], initial : \"x\",\n"
                     "           transitions : { \"x\" : [\"y\",], }, } }\n"
                     "audit profile p = { 0 : { base : { kss : [\"denied\",], }, }, }\n"
                     "execute { a.allow {sid : dst_sid, states : [\"x\",],} }\n"));
}

TEST_CASE("selectors are separated by blanks, commas and line ends in any mixture", "[sdk][lang]") {
    for (const char* text :
         {"request src=a.B dst=c.D endpoint=e method=M { grant () }",
          "request src=a.B, dst=c.D, endpoint=e, method=M { grant () }",
          "request src=a.B dst=c.D,endpoint=e\nmethod=M{ grant () }",
          "request, src = a.B,\n dst\n=\nc.D endpoint= e,method =M, { grant () }",
          "request\n  src=a.B\n , dst=c.D\n , endpoint=e\n , method=M\n{grant()}"}) {
        const psl::File file = clean_policy(text);
        INFO(text);
        REQUIRE(file.declarations.size() == 1);
        CHECK(binding(file, 0).selectors.size() == 4);
        CHECK(value_of(binding(file, 0), psl::SelectorKind::Dst) == "c.D");
    }
}

TEST_CASE("a match needs no blank before its brace", "[sdk][lang]") {
    const psl::File file = clean_policy("request { match method=M{ grant () }match endpoint=e,"
                                        "method=N{grant()match method=O { deny() }}}");
    REQUIRE(binding(file, 0).items.size() == 2);
    CHECK(std::get<psl::Match>(binding(file, 0).items[1].node).items.size() == 2);
}

TEST_CASE("comments may stand between selectors", "[sdk][lang]") {
    const psl::File file =
        clean_policy("request // who\n src=a.B /* to */ dst /* = */ = c.D // why\n"
                     "{ /* nothing */ grant /* no */ () // end\n}");
    CHECK(binding(file, 0).selectors.size() == 2);
}

TEST_CASE("template text that was left over is named once and parsing goes on", "[sdk][lang]") {
    const auto codes = [](const std::string& text) {
        Run run;
        const psl::File file = run.psl(text + "\nrequest { grant () }\n");
        CHECK(!file.declarations.empty());
        return run.codes();
    };
    CHECK(codes("@INIT_EXTERNAL_ENTITIES@") == std::vector{1008});
    CHECK(codes("@INIT_EXTERNAL_ENTITIES+@") == std::vector{1008});
    CHECK(codes("${ENTITIES}") == std::vector{1008});
    CHECK(codes("{% if BOARD %}\n{% endif %}") == std::vector{1015, 1015});
    CHECK(codes("{{ ENTITIES }}") == std::vector{1015});
    CHECK(codes("{# note #}") == std::vector{1015});
    CHECK(codes("$<TARGET_PROPERTY:a,b>") == std::vector{1016});
    for (const char* name : {"@A@", "kl.@A@", "kl.@A@.B", "kl.Vfs@A@", "@A@.B", "kl.V@A@Fs.B"}) {
        INFO(name);
        CHECK(codes(std::string{"use EDL kl.B\nrequest src="} + name + " dst=a.B { grant () }")
                  .size() == 1);
    }
    CHECK(clean_policy("request { assert (message.a == \"@A@ {{ B }} {% c %} $<D> ${E}\") }\n"
                       "// @A@ {{ B }} {% c %} $<D>\n")
              .declarations.size() == 1);
}

TEST_CASE("numbers are decimal or hexadecimal and may be negative", "[sdk][lang]") {
    const psl::File file = clean_policy(
        "request { assert (message.a == 0x1000404 && message.b < -1 && message.c >= -0x8000) }\n"
        "request { assert (message.a == 18446744073709551615 && message.b == 0XfF) }\n"
        "request { choice (message.a) { -1 : grant () 0x10 : deny () 0 : grant () } }\n");
    CHECK(file.declarations.size() == 3);
}

TEST_CASE("a policy of thousands of sections is read within the time of a test", "[sdk][lang]") {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        const std::string n = std::to_string(i);
        text += "request src=a.Client" + n + " dst=a.Server\n    endpoint=e.f" + n +
                " {\n    match method=M" + n + " { assert (message.x == " + n + ") }\n}\n";
    }
    CHECK(clean_policy(text).declarations.size() == 5000);
}

TEST_CASE("an IDL file may hold types only", "[sdk][lang]") {
    Folder folder;
    folder.file("Types.idl", "package Types\nconst UInt32 Max = 4;\ntypedef string<Max> Label;\n");
    folder.file("User.idl", "package User\nimport Types\ninterface { M(in Label a); }\n");
    folder.file("Wrong.edl", "entity Wrong\nendpoints { x : Types }\n");
    const Package* package = folder.workspace.find_package("User", {});
    REQUIRE(package != nullptr);
    CHECK(folder.diagnostics.all().empty());
    CHECK_FALSE(folder.workspace.find_package("Types", {})->has_interface);
    static_cast<void>(folder.workspace.find_class("Wrong", {}));
    CHECK(folder.codes() == std::vector{2026});
}

TEST_CASE("out before in is a warning", "[sdk][lang]") {
    Folder folder;
    folder.file("T.idl", "package T\ninterface { M(out UInt8 a, in UInt16 b, error UInt8 c); }\n");
    const Package* package = folder.workspace.find_package("T", {});
    REQUIRE(package != nullptr);
    CHECK(folder.codes() == std::vector{2019});
    CHECK(folder.diagnostics.error_count() == 0);
    CHECK(package->methods.at(0).request.fields.size() == 1);
    CHECK(package->methods.at(0).response.fields.size() == 1);
}
