
    // Whole memory images; a layer's tensors begin at their base addresses.
    reg [WORD-1:0] weights      [0:WEIGHT_WORDS-1];
    reg [31:0]     biases       [0:BIAS_WORDS-1];
    reg [WORD-1:0] golden       [0:CODE_WORDS-1];
    reg [31:0]     accumulators [0:SUM_WORDS-1];

    reg                clock, enable, first;
    reg  signed [8:0]  code, weight;
    reg  signed [31:0] bias;
    wire signed [31:0] sum;
    wire signed [8:0]  result;

    reg [8*32-1:0] codes_file, sums_file;
    integer image, o, y, x, c, ky, kx, iy, ix, at, sums, codes, errors;
    reg signed [31:0] expected_sum;
    reg signed [8:0]  expected_code;

    mac unit (
        .clock(clock), .enable(enable), .first(first),
        .code(code), .code_zero_point(CODE_ZERO_POINT),
        .weight(weight), .weight_zero_point(weight_zero_point[o]),
        .bias(bias), .sum(sum)
    );

    requantize scaler (
        .sum(sum), .multiplier(multiplier[o]), .addend(addend[o]), .shift(shift[o]),
        .zero_point(OUT_ZERO_POINT), .low(LOW), .high(HIGH), .code(result)
    );

    // Where a value lies: rows of `row` values are filled up to `padded`.
    function integer place(input integer value, input integer row, input integer padded);
        place = value / row * padded + value % row;
    endfunction

    // The value at a place of a word, with its sign.
    function signed [8:0] value_of(input [WORD-1:0] word, input integer position, input is_signed);
        integer lane;
        reg [7:0] bits;
        begin
            lane = position % PER_WORD;
            if (HIGH_FIRST) lane = PER_WORD - 1 - lane;
            bits = word >> (8 * lane);
            value_of = {is_signed & bits[7], bits};
        end
    endfunction

    task tick;
        begin
            #1 clock = 1;
            #1 clock = 0;
        end
    endtask

    // The products of one output; padded positions add none.
    task accumulate;
        begin
            first = 1;
            code = CODE_ZERO_POINT;
            weight = 0;
            bias = HAS_BIAS ? biases[BIAS_BASE + o] : 0;
            tick;
            first = 0;
            for (c = 0; c < CHANNELS; c = c + 1)
                for (ky = 0; ky < KERNEL_H; ky = ky + 1)
                    for (kx = 0; kx < KERNEL_W; kx = kx + 1) begin
                        iy = y * STRIDE_H + ky * DILATION_H - PADDING_H;
                        ix = x * STRIDE_W + kx * DILATION_W - PADDING_W;
                        if (iy >= 0 && iy < IN_H && ix >= 0 && ix < IN_W) begin
                            at = o / (OUTPUTS / GROUPS) * CHANNELS + c;
                            at = place((at * IN_H + iy) * IN_W + ix, IN_ROW, IN_PADDED);
                            code = value_of(golden[IN_BASE + at / PER_WORD], at, IN_SIGNED);
                            at = ((o * CHANNELS + c) * KERNEL_H + ky) * KERNEL_W + kx;
                            at = place(at, WEIGHT_ROW, WEIGHT_PADDED);
                            weight = value_of(weights[WEIGHT_BASE + at / PER_WORD], at, WEIGHT_SIGNED);
                            tick;
                        end
                    end
        end
    endtask

    // Holds the sum, and the code that is made of it, against the golden ones.
    task compare;
        begin
            at = (o * OUT_H + y) * OUT_W + x;
            expected_sum = accumulators[SUM_BASE + at];
            sums = sums + 1;
            if (sum !== expected_sum) begin
                errors = errors + 1;
                if (errors <= 10)
                    $display("DIFFERS: image %0d, index %0d: sum %0d, golden %0d", image, at, sum, expected_sum);
            end
            if (HAS_CODES) begin
                c = place(at, OUT_ROW, OUT_PADDED);
                expected_code = value_of(golden[OUT_BASE + c / PER_WORD], c, OUT_SIGNED);
                codes = codes + 1;
                if (result !== expected_code) begin
                    errors = errors + 1;
                    if (errors <= 10)
                        $display("DIFFERS: image %0d, index %0d: code %0d, golden %0d", image, at, result, expected_code);
                end
            end
        end
    endtask

    initial begin
        clock = 0;
        enable = 1;
        sums = 0;
        codes = 0;
        errors = 0;
        constants;
        $readmemh("weights.hex", weights);
        if (HAS_BIAS) $readmemh("biases.hex", biases);
        for (image = 0; image < IMAGES; image = image + 1) begin
            $sformat(codes_file, CODES_FILE, image);
            $sformat(sums_file, SUMS_FILE, image);
            $readmemh(codes_file, golden);
            $readmemh(sums_file, accumulators);
            for (o = 0; o < OUTPUTS; o = o + 1)
                for (y = 0; y < OUT_H; y = y + 1)
                    for (x = 0; x < OUT_W; x = x + 1) begin
                        accumulate;
                        compare;
                    end
        end
        if (errors == 0) $display("PASS: %0d sums, %0d codes", sums, codes);
        else begin
            $display("FAIL: %0d of %0d values differ", errors, sums + codes);
            // The simulator ends with an error.
            $fatal(0);
        end
        $finish;
    end
endmodule
