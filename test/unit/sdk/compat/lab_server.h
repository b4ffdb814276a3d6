// SPDX-License-Identifier: Apache-2.0
// The lab's process class in C, as lab_servers.hpp has it in C++.
#pragma once

#include <coresrv/nk/transport-kos-dispatch.h>
#include <lab/Plant.edl.h>

NK_BEGIN_DECLS

/// What the last calls brought.
struct lab_server {
    lab_Plant_entity entity;
    lab_Actuator_component actuator;
    struct lab_Valve valve;
    struct lab_Every every;
    unsigned calls;
    char reason[65];
    lab_Valve_Limits limits;
    nk_size_t history_count;
    nk_err_t result;  ///< what every method of the valve returns
    nk_uint64_t sum;
    nk_size_t records;
    char texts[128];
    nk_uint64_t number;
    char deep_text[17];
    nk_uint8_t grid_sum;
};

extern struct lab_server lab_server;

/// Makes lab_server a fresh one.
void lab_server_reset(void);

NK_END_DECLS
