// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <utility>

namespace explore {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMaxPages = 1024;  // the handler must not allocate

Memory* g_memory = nullptr;

void handle_fault(int, siginfo_t* info, void*) {
    if (g_memory == nullptr || !g_memory->touch(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
        std::signal(SIGSEGV, SIG_DFL);  // a real one: happens again, and ends the program
    }
}

}  // namespace

Memory::Memory(std::vector<std::span<std::byte>> ranges) : ranges_(std::move(ranges)) {
    g_memory = this;
    pages_.reserve(kMaxPages);
    base_.reserve(kMaxPages * kPage);
    struct sigaction action{};
    action.sa_sigaction = handle_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    for (const auto& range : ranges_) {
        mprotect(range.data(), range.size(), PROT_READ);
    }
}

Memory::~Memory() {
    for (const auto& range : ranges_) {
        mprotect(range.data(), range.size(), PROT_READ | PROT_WRITE);
    }
    std::signal(SIGSEGV, SIG_DFL);
    g_memory = nullptr;
}

bool Memory::touch(std::uintptr_t address) {
    for (const auto& range : ranges_) {
        const auto start = reinterpret_cast<std::uintptr_t>(range.data());
        if (address >= start && address - start < range.size()) {
            auto* page = range.data() + (address - start) / kPage * kPage;
            if (pages_.size() == kMaxPages) {
                std::abort();
            }
            pages_.push_back(page);
            base_.insert(base_.end(), page, page + kPage);
            mprotect(page, kPage, PROT_READ | PROT_WRITE);
            return true;
        }
    }
    return false;
}

void Memory::save(Snapshot& into) const {
    into.resize(pages_.size() * kPage);
    for (std::size_t i = 0; i < pages_.size(); ++i) {
        std::memcpy(into.data() + i * kPage, pages_[i], kPage);
    }
}

void Memory::restore(const Snapshot& from) {
    for (std::size_t i = 0; i < pages_.size(); ++i) {
        const bool is_kept = i * kPage < from.size();
        std::memcpy(pages_[i], (is_kept ? from.data() : base_.data()) + i * kPage, kPage);
    }
}

}  // namespace explore
