# SPDX-License-Identifier: Apache-2.0
"""Who may include whom (docs/conventions.md, "Layers"), and no cycles."""
import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
KERNEL_ORDER = "base abi hal sync diag mem time object sched ipc irq control entry boot".split()

# What a prefix of an include stands for, where it is not a path from the root.
PREFIXES = {
    "arch/": "arch/aarch64/include/arch/", "ksec/verdict.hpp": "ksec/include/ksec/verdict.hpp",
    "runtime/": "sdk/runtime/include/runtime/", "driver/": "sdk/driver/include/driver/",
    "lang/": "sdk/lang/include/lang/", "idlc/": "sdk/idlc/include/idlc/",
    "idl/": "sdk/idlc/include/idl/",
    "nk/": "sdk/compat/include/nk/", "coresrv/": "sdk/compat/include/coresrv/",
    "rtl/": "sdk/compat/include/rtl/", "handle/": "sdk/compat/include/handle/",
    "thread/": "sdk/compat/include/thread/", "services/rtl/": "sdk/compat/include/services/rtl/",
    "policyc/": "sdk/policyc/include/policyc/", "mock/": "test/mock_arch/include/mock/",
}
OURS = ("kernel", "arch", "ksec", "platform", "services", "sdk", "test")

# What idlc makes of a description file; it lies in the build folder.
GENERATED = re.compile(r"\.(idl|edl|cdl|client|server|endpoints|views)\.h(pp)?$")

# The C++ library as EL1 may use it (docs/conventions.md, "C++").
EL1_LIBRARY = set("cstdint cstddef concepts type_traits bit span array compare utility limits new "
                  "atomic".split())

# What a program may include.
EL0 = ("sdk/posix/", "sdk/compat/", "sdk/driver/", "sdk/runtime/", "sdk/idlc/include/idl/", "kernel/base/",
       "kernel/abi/")

# Libraries of services; they include no service.
SHARED_BY_SERVICES = ("services/storage/", "services/block/")

# layer: what it may include, by path prefix; a kernel folder gets its own rule below.
ALLOWED = {
    "ksec": ("ksec/", "kernel/base/", "kernel/abi/"),
    "arch": ("arch/", "kernel/base/", "kernel/abi/", "kernel/hal/", "platform/board.hpp",
             "platform/"),
    "platform": ("platform/", "kernel/base/", "kernel/abi/", "kernel/hal/"),
    # The audit service decodes the records of ksec.
    "services/audit": ("services/", *EL0, "ksec/include/ksec/verdict.hpp"),
    "services": ("services/", *EL0),
    "sdk/runtime": ("sdk/runtime/", "kernel/base/", "kernel/abi/"),
    "sdk/driver": ("sdk/driver/", "sdk/runtime/", "kernel/base/", "kernel/abi/"),
    "sdk/compat": ("sdk/compat/", "sdk/runtime/", "kernel/base/", "kernel/abi/"),
    "sdk/posix": ("sdk/posix/", "sdk/compat/", "sdk/driver/", "sdk/runtime/", "kernel/base/", "kernel/abi/"),
    "sdk/lang": ("sdk/lang/", "kernel/abi/", "kernel/base/"),
    # What generated code includes: runs at EL0, or at the kernel's side of an interface.
    "sdk/idlc/include/idl": ("sdk/idlc/include/idl/", "sdk/runtime/", "kernel/base/", "kernel/abi/"),
    "sdk/idlc": ("sdk/idlc/", "sdk/lang/", "kernel/abi/", "kernel/base/",
                 "sdk/runtime/include/runtime/status_text.hpp"),
    "sdk/policyc": ("sdk/policyc/", "sdk/lang/", "ksec/format/", "ksec/include/", "kernel/abi/",
                    "kernel/base/", "sdk/imagec/component.hpp"),
    "sdk/policy": ("sdk/policy/", "sdk/policyc/", "sdk/lang/", "sdk/imagec/", "sdk/runtime/include/",
                   "ksec/format/", "ksec/include/", "kernel/abi/", "kernel/base/"),
    "sdk/imagec": ("sdk/imagec/", "sdk/lang/", "sdk/runtime/include/runtime/romfs.hpp",
                   "kernel/abi/", "kernel/base/", "ksec/format/"),
    "sdk/examples": ("sdk/examples/", *EL0),
}


def resolve(source, quote, name):
    """Path from the root of what an include names; None for the C++ library and generated files."""
    if quote == '"':
        path = pathlib.PurePosixPath(source.path).parent / name
        parts = []
        for part in path.parts:
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        return "/".join(parts)
    for prefix, place in PREFIXES.items():
        if name.startswith(prefix) and not (source.root / name).is_file():
            return place + name[len(prefix):]
    if GENERATED.search(name) and not (source.root / name).is_file():
        return None  # idlc's output: interfaces are how components meet
    if name.split("/")[0] in OURS and "/" in name:
        return name
    return None


def includes(source):
    """(line, as written, path) of each include of ours; path None for others."""
    for number, line in enumerate(source.lines, 1):
        if found := INCLUDE.match(line):
            yield number, found.group(2), resolve(source, found.group(1), found.group(2))


def layer_of(path):
    parts = path.split("/")
    for depth in (4, 2):
        if "/".join(parts[:depth]) in ALLOWED:
            return "/".join(parts[:depth])
    return parts[0]


def may_include(source, path):
    """None when allowed, else why not."""
    parts = source.path.split("/")
    if path.startswith("test/") and parts[0] != "test":
        return "nothing includes test"
    if parts[0] == "test":
        return None
    if parts[0] == "kernel":
        return may_kernel_include(parts[1], path)
    if path.startswith("services/") and parts[0] == "services":
        own = service_of(source.path)
        allowed = own == service_of(path) or path.startswith(SHARED_BY_SERVICES)
        return None if allowed else "a service includes no other service"
    allowed = ALLOWED.get(layer_of(source.path))
    if allowed is None or path.startswith(allowed):
        return None
    return f"{layer_of(source.path)} may not include this"


def service_of(path):
    parts = path.split("/")
    depth = 3 if parts[1] in ("drivers", "fs") else 2
    return "/".join(parts[:depth])


def may_kernel_include(folder, path):
    if path.startswith("arch/") or path == "ksec/include/ksec/verdict.hpp":
        return None
    if not path.startswith("kernel/"):
        return "the kernel includes <arch/...> and <ksec/verdict.hpp> and nothing else outside"
    target = path.split("/")[1]
    if folder not in KERNEL_ORDER or target not in KERNEL_ORDER:
        stranger = folder if folder not in KERNEL_ORDER else target
        return f"kernel/{stranger} has no place in the order"
    if KERNEL_ORDER.index(target) > KERNEL_ORDER.index(folder):
        return f"upward: kernel/{folder} comes before kernel/{target}"
    return None


def check(sources):
    graph = {}
    for source in sources:
        if not source.is_code():
            continue
        edges = graph.setdefault(source.path, [])
        for number, written, path in includes(source):
            if path is None:
                is_el1 = source.is_below("kernel", "ksec", "arch", "platform")
                if is_el1 and "/" not in written and written not in EL1_LIBRARY:
                    yield source.violation(number, "library", f"<{written}> is not for EL1")
                continue
            edges.append((path, number))
            if reason := may_include(source, path):
                yield source.violation(number, "layer", f"<{written}>: {reason}")
    by_path = {source.path: source for source in sources}
    yield from cycles(graph, by_path)


def cycles(graph, by_path):
    """One violation for each include that closes a cycle of files."""
    state = {}  # 1: being looked at, 2: done
    for start in sorted(graph):
        stack = [(start, iter(graph[start]))] if start not in state else []
        if stack:
            state[start] = 1
        while stack:
            path, edges = stack[-1]
            for target, number in edges:
                if state.get(target) == 1:
                    yield by_path[path].violation(number, "cycle", f"includes {target} in a circle")
                elif target in graph and target not in state:
                    state[target] = 1
                    stack.append((target, iter(graph[target])))
                    break
            else:
                state[path] = 2
                stack.pop()
