//! `Makefile` and `README.md`.

use super::Program;

pub(super) const MAKEFILE: &str = "\
CC ?= cc
CFLAGS = -std=c99 -O2 -Wall -Wextra -Werror -pedantic

self_test: self_test.c model.c model.h
\t$(CC) $(CFLAGS) -o $@ self_test.c model.c

check: self_test
\t./self_test

size: model.o
\tsize model.o

model.o: model.c model.h
\t$(CC) $(CFLAGS) -c model.c

clean:
\trm -f self_test model.o

.PHONY: check size clean
";

pub(super) fn readme(program: &Program) -> String {
    let Program { prefix, upper, .. } = program;
    format!(
        "\
# {network}: {scheme}, contract {contract}

C99 without dependencies: add `model.c` and `model.h` to a program. `model.h` says what it needs
of memory, and where every layer's output lies.

    #include \"model.h\"

    static {prefix}_input codes[{upper}_INPUTS];
    {prefix}_output scores[{upper}_OUTPUTS];

    {prefix}_quantize(pixels, codes);
    int class = {prefix}_run(codes, scores);

`make check` builds `self_test` and runs it: images with the checksum of every layer's output, as
Karat computed it. It names the first layer that differs; its exit code is then 1. For a
microcontroller: `make CC=arm-none-eabi-gcc CFLAGS='-std=c99 -O2 -mcpu=cortex-m4' size`.
",
        network = program.model.network,
        scheme = program.model.scheme,
        contract = program.model.contract,
    )
}
