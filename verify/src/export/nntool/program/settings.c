#include "AutoTilerLib.h"
#include "CNN_Generators_SQ8.h"

#include <stdio.h>

// What depends on the board and on the build. Another value: -DKARAT_L1_BYTES=114688.

// Bytes that the graph may take: of the cluster's memory, the chip's, and the two beside the chip.
#ifndef KARAT_L1_BYTES
#define KARAT_L1_BYTES (48 * 1024)
#endif
#ifndef KARAT_L2_BYTES
#define KARAT_L2_BYTES (256 * 1024)
#endif
#ifndef KARAT_RAM_BYTES
#define KARAT_RAM_BYTES (8 * 1024 * 1024)
#endif
#ifndef KARAT_FLASH_BYTES
#define KARAT_FLASH_BYTES (16 * 1024 * 1024)
#endif

// Which memories are beside the chip.
#ifndef KARAT_RAM
#define KARAT_RAM AT_MEM_L3_HRAM
#endif
#ifndef KARAT_FLASH
#define KARAT_FLASH AT_MEM_L3_HFLASH
#endif

// Where the caller has the input, and wants the output.
#ifndef KARAT_ENDS
#define KARAT_ENDS AT_MEM_L2
#endif

// Where the tensors' files are, seen from where this program runs; "" if its option -c says so.
#ifndef KARAT_TENSORS
#define KARAT_TENSORS "tensors/"
#endif

// What the generated code includes.
#ifndef KARAT_KERNELS
#define KARAT_KERNELS "CNN_BasicKernels_SQ8.h"
#endif

// Bytes of a bias and of a multiplier.
#define BIAS_BYTES 4
#define SCALE_BYTES 1

// A filter without a pool: its window does not matter.
#define NO_POOL KOP_NONE, 0, 0, 0, 0, 0, 0, 0

// What is called by a name: an end of the graph, a tensor in flash, an output between two nodes.
#define CODES "signed char * __restrict__"
#define END(direction, name) \
    TCArgInfo(CODES, name, ARG_SCOPE_ARG, direction, KARAT_ENDS, KARAT_ENDS, 0)
#define INPUT_END(name) END(ARG_DIR_IN, name)
#define OUTPUT_END(name) END(ARG_DIR_OUT, name)
#define TENSOR(type, bits, name) \
    TCArgInfo(type " * __restrict__", name, ARG_SCOPE_GLOBAL, ARG_DIR_CONSTIN, KARAT_FLASH, AT_MEM_UNDEF, \
        ConstInfo(KARAT_TENSORS name ".tensor", 1, 1, bits, 0))
#define INT8(name) TENSOR("signed char", 8, name)
#define UINT8(name) TENSOR("unsigned char", 8, name)
#define INT32(name) TENSOR("signed int", 32, name)
#define BETWEEN(name) \
    TCArgInfo(CODES, name, ARG_SCOPE_LOCAL, ARG_DIR_INOUT, AT_MEM_UNDEF, AT_MEM_UNDEF, 0)

// What a node does with it.
#define READS(name) GNodeArg(GNA_IN, name, 0)
#define WRITES(name) GNodeArg(GNA_OUT, name, 0)
