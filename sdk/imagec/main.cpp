// SPDX-License-Identifier: Apache-2.0
// imagec: from kernel, ksec, programs and descriptions to something that boots. See README.md.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>
#include <runtime/romfs.hpp>
#include <sdk/imagec/image.hpp>
#include <sdk/imagec/romfs_writer.hpp>
#include <sdk/imagec/sdcard.hpp>
#include <sdk/imagec/system.hpp>

namespace {

using namespace sdk::imagec;
using Json = nlohmann::ordered_json;

struct Options {
    std::string kernel{};
    std::string ksec{};
    std::string init{};
    std::string system{};
    std::string romfs{};
    std::vector<std::pair<std::string, std::string>> files{};  // name, path
    std::string board{};
    std::string yaml{};
    std::string components{};
    std::vector<std::string> include_folders{};
    CardInputs card{};
    std::string output{};
    std::string subject{};
    bool json = false;
};

void print(const Json& report, const std::string& text, const Options& options) {
    if (options.json) {
        fmt::print("{}\n", report.dump(2));
    } else {
        fmt::print("{}", text);
    }
}

Outcome<Bytes> build_romfs(const Options& options) {
    RomfsFiles files;
    for (const auto& [name, path] : options.files) {
        IMAGEC_TRY(add_romfs_file(files, name, path));
    }
    return make_romfs(files);
}

void report_parts(Json& report, std::string& text, const std::vector<Part>& parts, View image) {
    text += fmt::format("  {:<10} {:>10} {:>10}\n", "part", "offset", "bytes");
    for (const auto& part : parts) {
        text += fmt::format("  {:<10} {:>#10x} {:>10}\n", part.name, part.offset, part.size);
        Json entry{{"name", part.name}, {"offset", part.offset}, {"size", part.size}};
        if (part.name == "ksec" || part.name == "init") {
            entry["entry"] = get_value<std::uint64_t>(
                image, part.offset + offsetof(abi::image::SegmentImage, entry));
        }
        report["parts"].push_back(std::move(entry));
    }
    const auto files =
        sdk::romfs::Reader::open(get_section(image, parts, abi::image::SectionKind::Romfs));
    report["files"] = Json::array();
    text += "  files\n";
    for (std::uint32_t i = 0; files.ok() && i < files.value().file_count(); ++i) {
        const auto file = files.value().find_at(i);
        text += fmt::format("    {:<30} {:>10}\n", file.value().name, file.value().content.size());
        report["files"].push_back(
            {{"name", std::string(file.value().name)}, {"size", file.value().content.size()}});
    }
}

void report_components(Json& report, std::string& text, const std::vector<Component>& components) {
    text += "  components, in start order\n";
    report["components"] = Json::array();
    for (const auto& component : components) {
        const auto memory = component.memory.value_or(kDefaultMemory);
        const auto priority = component.priority.value_or(kDefaultPriority);
        const auto restart = component.restart.value_or(std::string(kDefaultRestart));
        text += fmt::format("    {:<16} class {:<24} program {:<16} priority {:>3}  {:>6} KiB  "
                            "restart {}\n",
                            component.task,
                            component.class_name,
                            component.program,
                            priority,
                            memory >> 10,
                            restart);
        Json entry{{"task", component.task},
                   {"class", component.class_name},
                   {"program", component.program},
                   {"priority", priority},
                   {"memory", memory},
                   {"cpuBudget", nullptr},
                   {"heartbeat", nullptr},
                   {"restart", restart},
                   {"devices", component.devices},
                   {"files", component.files},
                   {"image_files", component.image_files},
                   {"serves", component.serves},
                   {"dynamic_channels", component.dynamic_channels},
                   {"args", component.arguments},
                   {"environment", component.environment},
                   {"connections", Json::array()}};
        if (component.cpu_budget) {
            const auto [amount, period] = *component.cpu_budget;
            text += fmt::format("      cpu {} of every {} us\n", amount, period);
            entry["cpuBudget"] = {{"amount", amount}, {"period", period}};
        }
        if (component.heartbeat) {
            text += fmt::format("      heartbeat each {} ms\n", *component.heartbeat);
            entry["heartbeat"] = *component.heartbeat;
        }
        for (const auto& device : component.devices) {
            text += fmt::format("      device {}\n", device);
        }
        for (const auto& connection : component.connections) {
            text += fmt::format("      {} -> {}\n", connection.id, connection.target);
            entry["connections"].push_back({{"id", connection.id}, {"target", connection.target}});
        }
        report["components"].push_back(std::move(entry));
    }
}

Completion run_image(const Options& options) {
    ImageInputs inputs;
    const std::array<std::pair<Input*, const std::string*>, 4> sources{{
        {&inputs.kernel, &options.kernel},
        {&inputs.ksec, &options.ksec},
        {&inputs.init, &options.init},
        {&inputs.system, &options.system},
    }};
    for (const auto& [input, path] : sources) {
        IMAGEC_TRY_VALUE(auto bytes, read_file(*path));
        *input = Input{.name = *path, .bytes = std::move(bytes)};
    }
    if (!options.romfs.empty() && !options.files.empty()) {
        return Diagnostic{.code = Code::OptionInvalid,
                          .cause = "both --romfs and --file are given",
                          .way_out = "pass a finished ROM file system or its files, not both"};
    }
    auto romfs = options.romfs.empty() ? build_romfs(options) : read_file(options.romfs);
    IMAGEC_TRY_VALUE(inputs.romfs, std::move(romfs));
    IMAGEC_TRY_VALUE(const auto image, make_image(inputs));
    IMAGEC_TRY(write_file(options.output, image.bytes));
    Json report{{"image", options.output}, {"size", image.bytes.size()}};
    auto text = fmt::format("{}: {} bytes\n", options.output, image.bytes.size());
    report_parts(report, text, image.parts, image.bytes);
    print(report, text, options);
    return Done{};
}

Completion run_list(const Options& options) {
    IMAGEC_TRY_VALUE(const auto image, read_file(options.subject));
    IMAGEC_TRY_VALUE(const auto parts, read_image(image, options.subject));
    const auto tree = get_section(image, parts, abi::image::SectionKind::System);
    IMAGEC_TRY_VALUE(const auto components, list_components(tree, options.subject));
    Json report{{"image", options.subject}, {"size", image.size()}};
    auto text = fmt::format("{}: {} bytes, valid\n", options.subject, image.size());
    report_parts(report, text, parts, image);
    report_components(report, text, components);
    print(report, text, options);
    return Done{};
}

Completion run_romfs(const Options& options) {
    IMAGEC_TRY_VALUE(const auto bytes, build_romfs(options));
    IMAGEC_TRY(write_file(options.output, bytes));
    print(
        {{"romfs", options.output}, {"size", bytes.size()}, {"files", options.files.size()}},
        fmt::format("{}: {} bytes, {} files\n", options.output, bytes.size(), options.files.size()),
        options);
    return Done{};
}

Completion run_system(const Options& options) {
    SystemInputs inputs{.board_name = options.board, .solution_name = options.components};
    IMAGEC_TRY_VALUE(const auto board, read_file(options.board));
    inputs.board = board;
    Bytes solution;
    if (!options.components.empty()) {
        IMAGEC_TRY_VALUE(solution, read_file(options.components));
        inputs.solution = solution;
    }
    if (!options.yaml.empty()) {
        IMAGEC_TRY_VALUE(const auto yaml, read_file(options.yaml));
        IMAGEC_TRY_VALUE(inputs.entities,
                         parse_init_yaml(std::string(yaml.begin(), yaml.end()),
                                         options.yaml,
                                         options.include_folders));
    }
    IMAGEC_TRY_VALUE(const auto system, make_system(inputs));
    IMAGEC_TRY(write_file(options.output, system.tree));
    Json report{{"system", options.output}, {"size", system.tree.size()}};
    auto text = fmt::format("{}: {} bytes\n", options.output, system.tree.size());
    report_components(report, text, system.components);
    print(report, text, options);
    return Done{};
}

Completion run_card(const Options& options) {
    CardInputs inputs = options.card;
    inputs.output = options.output;
    IMAGEC_TRY_VALUE(const auto files, make_card(inputs));
    Json report{{"card", options.output}, {"files", Json::array()}};
    auto text = fmt::format("{}: boot partition with\n", options.output);
    for (const auto& file : files) {
        text += fmt::format("  {:<24} {:>10}\n", file.name, file.size);
        report["files"].push_back({{"name", file.name}, {"size", file.size}});
    }
    if (inputs.firmware.empty()) {
        text += "  no board firmware: a board needs start4.elf and fixup4.dat (--firmware)\n";
    }
    print(report, text, options);
    return Done{};
}

int run(int argc, char** argv) {
    Options options;
    std::function<Completion(const Options&)> action;
    CLI::App app{"imagec builds and inspects Tessera's bootable images."};
    app.require_subcommand(1);
    const auto add_command = [&](const std::string& name,
                                 const std::string& purpose,
                                 std::function<Completion(const Options&)> body) {
        auto* const command = app.add_subcommand(name, purpose);
        command->add_flag("--json", options.json, "report as JSON");
        command->callback([&action, body = std::move(body)] { action = body; });
        return command;
    };
    const auto add_output = [&](CLI::App* command) {
        command->add_option("-o,--output", options.output, "file to write")->required();
    };
    const auto add_files = [&](CLI::App* command) {
        command->add_option("--file", options.files, "NAME PATH: a ROM file; repeatable");
    };

    auto* const image = add_command("image", "pack kernel8.img", run_image);
    image->add_option("--kernel", options.kernel, "flat kernel binary")->required();
    image->add_option("--ksec", options.ksec, "security module, ELF")->required();
    image->add_option("--init", options.init, "first program, static-PIE ELF")->required();
    image->add_option("--system", options.system, "system description, DTB")->required();
    image->add_option("--romfs", options.romfs, "finished ROM file system");
    add_files(image);
    add_output(image);

    auto* const list = add_command("list", "show and check an image", run_list);
    list->add_option("image", options.subject, "kernel8.img")->required();

    auto* const romfs = add_command("romfs", "pack a ROM file system", run_romfs);
    add_files(romfs);
    add_output(romfs);

    auto* const system = add_command("system", "make a system description", run_system);
    system->add_option("--board", options.board, "the board's tree, DTB")->required();
    system->add_option("--init", options.yaml, "init.yaml");
    system->add_option("--components", options.components, "tree with /components nodes, DTB");
    system->add_option("--include", options.include_folders, "folder of headers with ids");
    add_output(system);

    auto* const card = add_command("sdcard", "make an SD card image", run_card);
    card->add_option("--image", options.card.image, "kernel8.img")->required();
    card->add_option("--config", options.card.config, "config.txt")->required();
    card->add_option("--dtb", options.card.tree, "board tree for the firmware to pass on");
    card->add_option("--firmware", options.card.firmware, "folder with start4.elf, fixup4.dat");
    add_output(card);

    CLI11_PARSE(app, argc, argv);
    const auto outcome = action(options);
    if (!outcome.ok()) {
        fmt::print(stderr, "{}", render(outcome.failures()));
        return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "imagec: internal error: {}\n", error.what());
        return 3;
    }
}
