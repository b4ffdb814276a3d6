// SPDX-License-Identifier: Apache-2.0
// Offsets in the block that svc.S loads and stores; read by C++ and assembler.
#pragma once

#define REGISTERS_X0 0
#define REGISTERS_X3 16
#define REGISTERS_X5 32
#define REGISTERS_X7 48
#define REGISTERS_X9 56
#define REGISTERS_X10 64
#define REGISTERS_X12 80
#define REGISTERS_X14 96
#define REGISTERS_X18 112
#define REGISTERS_SIZE 128
