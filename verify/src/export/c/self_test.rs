//! `self_test.c`: images with what every layer must make of them.

use super::constants::array;
use super::{Program, Refusal};
use crate::export::{Dump, ExportError, Request};
use crate::model::Values;

/// With as many images as the request's options say, at least one.
///
/// # Errors
/// More images than there are, or none; a network without layers.
pub(super) fn self_test(program: &Program, request: &Request) -> Result<String, ExportError> {
    let Program {
        prefix,
        upper,
        stages,
        ..
    } = program;
    let dump = Dump::new(request)?;
    let images = dump.pixels.shape()[0];
    let sums = |values: &Values| -> Vec<u32> {
        (0..images)
            .map(|image| checksum(values.item(image)))
            .collect()
    };
    let mut expected = vec![sums(&dump.layers[0].values)];
    for stage in &stages.stages {
        expected.push(sums(&dump.layers[stage.node].values));
    }
    let by_image: Vec<String> = (0..images)
        .flat_map(|image| expected.iter().map(move |of| format!("{}u", of[image])))
        .collect();
    let Some(last) = stages.stages.last() else {
        return Err(Refusal::new(program.model, "input").of("a network without layers"));
    };
    let output = &dump.layers[last.node].values;
    let classes: Vec<usize> = (0..images).map(|image| class(output.item(image))).collect();
    let names: Vec<String> = (stages.stages.iter())
        .map(|stage| format!("\"{}\"", stage.layers.join(", ")))
        .collect();
    let data = [
        "\n/* One after the other; the order of pixels is that of the input. */\n".into(),
        array("uint8_t", "pixels", dump.pixels.data()),
        "\n/* Checksums of an image's codes: of the input, then of every layer. */\n".into(),
        array("uint32_t", "checksums", &by_image),
        "\n/* Its class. */\n".into(),
        array("int32_t", "classes", &classes),
    ]
    .concat();
    Ok(format!(
        "{title}#include \"model.h\"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MODEL(name) {prefix}_##name

enum {{ INPUTS = {upper}_INPUTS, OUTPUTS = {upper}_OUTPUTS, LAYERS = {upper}_LAYERS, IMAGES = {images} }};

static const char *const names[LAYERS] = {{ {names} }};

static const int sizes[LAYERS] = {{ {sizes} }};
{data}{BODY}",
        title = program.title("a test of it: `make check`"),
        names = names.join(", "),
        sizes = join(stages.stages.iter().map(|stage| stage.output.len())),
    ))
}

fn join(values: impl Iterator<Item = usize>) -> String {
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    values.join(", ")
}

/// The lowest class of those with the highest score.
fn class(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best })
}

/// FNV-1a of the codes as bytes.
fn checksum(codes: &[f64]) -> u32 {
    codes.iter().fold(0x811c_9dc5, |sum, &code| {
        // −128 to 255: the low byte.
        (sum ^ u32::from(code as i32 as u8)).wrapping_mul(0x0100_0193)
    })
}

const BODY: &str = r#"
/* FNV-1a. */
static uint32_t checksum(const void *codes, int size)
{
    const uint8_t *const bytes = codes;
    uint32_t sum = 2166136261u;
    for (int i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * 16777619u;
    }
    return sum;
}

struct trace { uint32_t input, layers[LAYERS]; };

static void observe(void *context, int layer, const void *codes)
{
    struct trace *const trace = context;
    trace->layers[layer] = checksum(codes, sizes[layer]);
}

static MODEL(input) input[INPUTS];
static MODEL(output) output[OUTPUTS];

/* Its class. */
static int run(const uint8_t *image, struct trace *trace)
{
    MODEL(quantize)(image, input);
    trace->input = checksum(input, INPUTS);
    return MODEL(run_observed)(input, output, observe, trace);
}

static int embedded(void)
{
    for (int image = 0; image < IMAGES; image++) {
        const uint32_t *const expected = checksums + image * (1 + LAYERS);
        struct trace trace;
        const int class = run(pixels + image * INPUTS, &trace);
        if (trace.input != expected[0]) {
            printf("FAIL: image %d: the input's codes differ\n", image);
            return 1;
        }
        for (int layer = 0; layer < LAYERS; layer++) {
            if (trace.layers[layer] != expected[1 + layer]) {
                printf("FAIL: image %d: layer %d (%s) is the first that differs\n", image, layer,
                       names[layer]);
                return 1;
            }
        }
        if (class != classes[image]) {
            printf("FAIL: image %d: class %d instead of %d\n", image, class, (int)classes[image]);
            return 1;
        }
    }
    printf("OK: %d images, %d layers each\n", IMAGES, LAYERS);
    return 0;
}

/* For each image on the standard input: its class, its output, the checksum of every layer. */
static int from_input(void)
{
    static uint8_t image[INPUTS];
    struct trace trace;
    size_t count;
    while ((count = fread(image, 1, INPUTS, stdin)) == INPUTS) {
        printf("%d :", run(image, &trace));
        for (int i = 0; i < OUTPUTS; i++) {
            printf(" %d", (int)output[i]);
        }
        printf(" : %08lx", (unsigned long)trace.input);
        for (int layer = 0; layer < LAYERS; layer++) {
            printf(" %08lx", (unsigned long)trace.layers[layer]);
        }
        printf("\n");
    }
    if (count != 0) {
        fprintf(stderr, "the last image has %lu bytes, not %lu\n", (unsigned long)count,
                (unsigned long)INPUTS);
        return 1;
    }
    return 0;
}

/* How long an image takes. */
static int speed(void)
{
    const clock_t start = clock();
    long images = 0;
    while (clock() - start < CLOCKS_PER_SEC) {
        for (int i = 0; i < 100; i++) {
            MODEL(run)(input, output);
            input[0] = (MODEL(input))output[0];
        }
        images += 100;
    }
    const double seconds = (double)(clock() - start) / (double)CLOCKS_PER_SEC;
    printf("%.0f images/s, %.2f us each\n", (double)images / seconds, 1e6 * seconds / (double)images);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        return embedded();
    }
    if (strcmp(arguments[1], "-") == 0) {
        return from_input();
    }
    if (strcmp(arguments[1], "speed") == 0) {
        return speed();
    }
    fprintf(stderr, "self_test: the images in it; self_test -: images (bytes) from the standard "
                    "input; self_test speed\n");
    return 2;
}
"#;
