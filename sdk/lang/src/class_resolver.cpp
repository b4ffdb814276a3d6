// SPDX-License-Identifier: Apache-2.0
// Flattens classes and components, depth first in the order written. A component is flattened once;
// its users copy the result behind the instance's name.
#include "workspace_impl.hpp"

namespace sdk::lang {

namespace {

class Flattener final {
public:
    Flattener(Workspace::Impl& workspace, const idl::ClassFile& file, Component& result)
        : workspace_(workspace), file_(file), parts_(result.parts), endpoints_(result.endpoints),
          security_(result.security), component_types_(result.component_types) {}

    void run() {
        for (const idl::Section& section : file_.sections) {
            check_names(section);
            switch (section.kind) {
            case idl::Section::Kind::Components:
                add_components(section);
                break;
            case idl::Section::Kind::Endpoints:
                add_endpoints(section);
                break;
            case idl::Section::Kind::Security:
                add_security(section);
                break;
            }
        }
    }

private:
    void check_names(const idl::Section& section) {
        std::map<std::string_view, Span> names;
        for (const idl::Instance& instance : section.instances) {
            const auto [first, fresh] = names.emplace(instance.name.text, instance.name.span);
            if (!fresh) {
                const bool endpoint = section.kind == idl::Section::Kind::Endpoints;
                workspace_.diagnostics
                    .report<Code::DuplicateName>(instance.name.span,
                                                 Word{instance.name.text},
                                                 Text{endpoint ? "endpoint" : "component"})
                    .note(first->second, "the first one");
            }
        }
    }

    bool has_room(std::size_t more) {
        const bool room = endpoints_.size() + more <= kMaxEndpoints &&
                          component_types_.size() + more <= kMaxEndpoints;
        if (!room && !full_) {
            workspace_.diagnostics.report<Code::TooManyEndpoints>(
                file_.name.span, Word{file_.name.text()}, Number{kMaxEndpoints});
        }
        full_ = full_ || !room;
        return room;
    }

    void add_components(const idl::Section& section) {
        for (const idl::Instance& instance : section.instances) {
            const Component* component =
                workspace_.load_component(instance.type.text(), instance.type.span);
            if (component == nullptr ||
                !has_room(component->endpoints.size() + component->component_types.size())) {
                continue;
            }
            parts_.push_back({.name = instance.name.text, .component = component});
            component_types_.push_back(component->name);
            component_types_.insert(component_types_.end(),
                                    component->component_types.begin(),
                                    component->component_types.end());
            for (Endpoint endpoint : component->endpoints) {
                endpoint.path = instance.name.text + "." + endpoint.path;
                endpoint.component_types.insert(endpoint.component_types.begin(), component->name);
                endpoint.id = static_cast<std::uint16_t>(endpoints_.size());
                endpoints_.push_back(std::move(endpoint));
            }
            for (SecurityEndpoint owner : component->security) {
                owner.path =
                    owner.path.empty() ? instance.name.text : instance.name.text + "." + owner.path;
                if (owner.component_type.empty()) {
                    owner.component_type = component->name;
                }
                owner.id = static_cast<std::uint16_t>(security_.size());
                security_.push_back(std::move(owner));
            }
        }
    }

    const Package* interface(const QualifiedName& name) {
        const PackageEntry* entry = workspace_.load_package(name.text(), name.span);
        if (entry == nullptr) {
            return nullptr;
        }
        if (!entry->package.has_interface) {
            workspace_.diagnostics.report<Code::NoInterface>(name.span, Word{name.text()});
            return nullptr;
        }
        return &entry->package;
    }

    void add_endpoints(const idl::Section& section) {
        for (const idl::Instance& instance : section.instances) {
            const Package* package = interface(instance.type);
            if (package == nullptr || !has_room(1)) {
                continue;
            }
            parts_.push_back({.name = instance.name.text, .interface = package});
            Endpoint endpoint;
            endpoint.id = static_cast<std::uint16_t>(endpoints_.size());
            endpoint.path = instance.name.text;
            endpoint.doc = instance.doc;
            endpoint.span = instance.name.span;
            endpoint.interface = package;
            endpoints_.push_back(std::move(endpoint));
        }
    }

    void add_security(const idl::Section& section) {
        const Package* package = interface(section.security);
        if (package == nullptr) {
            return;
        }
        for (const Method& method : package->methods) {
            const bool has_out = !method.response.fields.empty();
            if (has_out || !method.error.fields.empty()) {
                workspace_.diagnostics
                    .report<Code::SecurityOut>(
                        section.security.span, Word{method.name}, Word{has_out ? "out" : "error"})
                    .note(method.span, "the method");
            }
        }
        SecurityEndpoint owner;
        owner.id = static_cast<std::uint16_t>(security_.size());
        owner.span = section.security.span;
        owner.interface = package;
        security_.push_back(std::move(owner));
    }

    Workspace::Impl& workspace_;
    const idl::ClassFile& file_;
    std::vector<Part>& parts_;
    std::vector<Endpoint>& endpoints_;
    std::vector<SecurityEndpoint>& security_;
    std::vector<std::string>& component_types_;
    bool full_ = false;
};

}  // namespace

void resolve_class(Workspace::Impl& workspace, const idl::ClassFile& file, Component& result) {
    Flattener{workspace, file, result}.run();
}

}  // namespace sdk::lang
