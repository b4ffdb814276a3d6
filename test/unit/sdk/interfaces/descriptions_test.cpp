// SPDX-License-Identifier: Apache-2.0
// The descriptions in sdk/interfaces: each is correct, and the names by which policies of existing
// solutions select are there.
#include "files.hpp"

#include <catch2/catch_test_macros.hpp>
#include <lang/workspace.hpp>
#include <sstream>

namespace {

using namespace sdk::lang;

struct Descriptions {
    Sources sources;
    Diagnostics diagnostics{sources};
    Workspace workspace{sources, diagnostics};

    Descriptions() { workspace.add_include_directory(test::kInterfaces); }

    [[nodiscard]] std::string messages() const {
        return diagnostics.to_text(Diagnostics::Colour::Never);
    }
};

/// "Path interface", by number.
std::vector<std::string> endpoints_of(const std::string& name) {
    Descriptions descriptions;
    const ProcessClass* process = descriptions.workspace.find_class(name, {});
    REQUIRE(process != nullptr);
    std::vector<std::string> result;
    for (const Endpoint& endpoint : process->endpoints) {
        CHECK(endpoint.id == result.size());
        result.push_back(endpoint.path + " " + endpoint.interface->name);
    }
    return result;
}

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) {
        result.push_back(word);
    }
    return result;
}

struct KernelInterface {
    const char* endpoint;
    const char* interface;
    const char* methods;
};

// In the order of the numbers; a method may stand anywhere in its interface.
constexpr KernelInterface kKernel[] = {
    {"vmm.VMM",
     "kl.core.VMM",
     "Allocate Commit Decommit Protect Free Query MdlCreate MdlCreateFromVm MdlGetSize MdlMap "
     "MdlClone"},
    {"io.IO",
     "kl.core.IO",
     "RegisterPort RegisterMmio RegisterDma RegisterIrq RevokeResource MapMem PermitPort AttachIrq "
     "DetachIrq EnableIrq DisableIrq ModifyDma MapDma DmaGetInfo DmaGetPhysInfo BeginDma"},
    {"thread.Thread",
     "kl.core.Thread",
     "Create Attach Suspend Resume Terminate Exit Wait SetPriority GetTcb SetTls Sleep GetInfo "
     "DetachIrq GetAffinity SetAffinity SetSchedPolicy GetSchedPolicy"},
    {"handle.Handle",
     "kl.core.Handle",
     "Alloc Free Copy Init Fini CreateUserObject Close Connect Disconnect SecurityConnect "
     "SecurityDisconnect UidAlloc UidFree GetSidByHandle Revoke RevokeSubtree CreateBadge"},
    {"task.Task",
     "kl.core.Task",
     "Create LoadSeg VmReserve VmFree SetEntry LoadElfSyms LoadElfHdr SetEnv FreeSelfEnv Resume "
     "Exit Terminate GetExitInfo GetThreadContext GetNextVmRegion TerminateAfterFreezing GetName "
     "GetPath GetInitialThreadPriority SetInitialThreadPriority GetTasksList "
     "SetInitialThreadSchedPolicy ReseedAslr GetElfSyms"},
    {"sync.Sync", "kl.core.Sync", "Wait Wake"},
    {"fs.FS", "kl.core.FS", "Open Close Read GetSize GetId Count GetInfo GetFsSize"},
    {"fs.FSUnsafe", "kl.core.FSUnsafe", "Change"},
    {"time.Time", "kl.core.Time", "SetSystemTime SetSystemTimeAdj GetSystemTimeAdj"},
    {"hal.HAL",
     "kl.core.HAL",
     "GetEnv GetPrivReg SetPrivReg GetPrivRegRange SetPrivRegRange FlushCache DebugWrite "
     "GetEntropy"},
    {"xhcidbg.XHCIDBG", "kl.core.XHCIDBG", "Start Stop"},
    {"audit.Audit", "kl.core.Audit", "Open Close Read"},
    {"profiler.Profiler",
     "kl.core.Profiler",
     "GetCoverageData FlushGcov FlushGcovFile GetCounters SamplingStart SamplingStop SamplingRead "
     "SamplingAddPidToList SamplingClearPidList LoadSegInfo UnloadSegInfo KcovAlloc KcovFree "
     "KcovStart KcovStop"},
    {"iommu.IOMMU", "kl.core.IOMMU", "Attach Detach"},
    {"cm.CM", "kl.core.CM", "Connect Listen Drop Accept"},
    {"pm.PM", "kl.core.PM", "Request SetCpusOnline GetCpusOnline"},
    {"notice.Notice",
     "kl.core.Notice",
     "Create SubscribeToObject UnsubscribeFromEvent UnsubscribeFromObject GetEvent DropAndWake "
     "SetObjectEvent"},
    {"ipc.IPC", "kl.core.IPC", "CreateSyncObject SetInterrupt ClearInterrupt"},
};

}  // namespace

TEST_CASE("every description is correct and without a warning", "[sdk][interfaces]") {
    Descriptions descriptions;
    const auto files = test::find_files(test::kInterfaces, {".idl", ".cdl", ".edl"});
    REQUIRE(files.size() > 50);
    for (const std::string& file : files) {
        descriptions.workspace.check_file(file);
    }
    INFO(descriptions.messages());
    CHECK(descriptions.diagnostics.error_count() == 0);
    CHECK(descriptions.diagnostics.warning_count() == 0);
}

TEST_CASE("every interface and class has its bindings compiled", "[sdk][interfaces]") {
    const std::vector<std::string> described = words(DESCRIBED);
    for (const std::string& file : test::find_files(test::kInterfaces, {".idl", ".edl"})) {
        const std::string name = test::name_of(test::kInterfaces, file);
        INFO(name << " is missing in test/unit/sdk/interfaces/meson.build");
        CHECK(std::ranges::find(described, name) != described.end());
    }
}

TEST_CASE("every interface and method says what it is", "[sdk][interfaces]") {
    Descriptions descriptions;
    // Their methods are explained together or by the interface.
    const std::vector<std::string> briefly = {"kl.core", "tessera."};
    for (const std::string& file : test::find_files(test::kInterfaces, {".idl"})) {
        const std::string name = test::name_of(test::kInterfaces, file);
        const Package* package = descriptions.workspace.find_package(name, {});
        REQUIRE(package != nullptr);
        INFO(name);
        CHECK(!package->doc.empty());
        if (std::ranges::any_of(briefly,
                                [&name](const auto& prefix) { return name.starts_with(prefix); })) {
            continue;
        }
        for (const Method& method : package->methods) {
            INFO(method.name);
            CHECK(!method.doc.empty());
        }
    }
}

TEST_CASE("the kernel has the endpoints and methods that policies name", "[sdk][interfaces]") {
    Descriptions descriptions;
    const ProcessClass* core = descriptions.workspace.find_class("kl.core.Core", {});
    REQUIRE(core != nullptr);
    REQUIRE(core->endpoints.size() == std::size(kKernel));
    for (std::size_t i = 0; i < std::size(kKernel); ++i) {
        const Endpoint& endpoint = core->endpoints[i];
        INFO(kKernel[i].endpoint);
        CHECK(endpoint.path == kKernel[i].endpoint);
        CHECK(endpoint.interface->name == kKernel[i].interface);
        for (const std::string& method : words(kKernel[i].methods)) {
            INFO(method);
            CHECK(endpoint.interface->find_method(method) != nullptr);
        }
    }
    CHECK(descriptions.workspace.find_package("kl.core.Execute", {})->find_method("main") !=
          nullptr);
}

TEST_CASE("programs have the endpoints that solutions look up", "[sdk][interfaces]") {
    using List = std::vector<std::string>;
    const List vfs = {"vfs.server kl.VfsFilesystem",
                      "vfs.netcfg kl.VfsNetConfig",
                      "vfs.bpfcfg kl.VfsBPFilter",
                      "vfs.npfcfg kl.VfsNPFilter",
                      "vfs.xattrcfg kl.VfsExtAttr",
                      "vfs.aclcfg kl.VfsACL",
                      "vfs.native kl.VfsNative"};
    for (const char* name : {"kl.VfsNet", "kl.VfsRamFs", "kl.VfsSdCardFs"}) {
        CHECK(endpoints_of(name) == vfs);
    }
    CHECK(endpoints_of("kl.EntropyEntity") == List{"entropy.entropy kl.Entropy"});
    CHECK(endpoints_of("kl.drivers.DNetSrv") == List{"dnet.dnet kl.drivers.DNet",
                                                     "dnet.mac kl.drivers.DNetMac",
                                                     "dnet.wifi kl.drivers.DNetWifi",
                                                     "dnet.supplicant kl.drivers.DNetSupplicant"});
    CHECK(endpoints_of("kl.drivers.GPIO") ==
          List{"driver kl.drivers.Driver", "gpio kl.drivers.GPIO"});
    CHECK(endpoints_of("kl.drivers.I2C") == List{"driver kl.drivers.Driver", "i2c kl.drivers.I2C"});
    CHECK(endpoints_of("kl.drivers.UART") ==
          List{"driver kl.drivers.Driver", "uart kl.drivers.UART"});
    CHECK(endpoints_of("kl.drivers.SDCard") == List{"sdcard kl.drivers.Block"});
    CHECK(endpoints_of("kl.drivers.BSP") == List{"bsp kl.drivers.BSP"});
    CHECK(endpoints_of("kl.drivers.Bcm2711MboxArmToVc") ==
          List{"driver kl.drivers.Driver", "bcm2711mboxarmtovc kl.drivers.Bcm2711MboxArmToVc"});
    CHECK(endpoints_of("kl.rump.Dhcpcd") == List{"dhcpcd kl.rump.DhcpcdConfig"});
    CHECK(endpoints_of("wpa.WpaSupplicant") ==
          List{"WpaSupplicant.WpaSupplicant wpa.WpaSupplicant"});
}

TEST_CASE("components for programs that solutions build", "[sdk][interfaces]") {
    Descriptions descriptions;
    for (const char* name :
         {"kl.Vfs", "kl.Klog", "kl.KlogStorage", "kl.Env", "kl.CoverageMapper"}) {
        INFO(name);
        CHECK(descriptions.workspace.find_component(name, {}) != nullptr);
    }
    const Package* storage = descriptions.workspace.find_package("kl.KlogStorage", {});
    REQUIRE(storage != nullptr);
    CHECK(storage->find_method("write") != nullptr);
    const Package* types = descriptions.workspace.find_package("kl.core.Types", {});
    REQUIRE(types != nullptr);
    for (const char* alias : {"Retcode", "Char", "Size", "SizeT"}) {
        INFO(alias);
        CHECK(std::ranges::any_of(types->definitions, [alias](const Definition& definition) {
            return definition.alias != nullptr && definition.alias->name == alias;
        }));
    }
}
