// A sum becomes a code:
//
//     code = clamp(((sum * multiplier + addend) >>> shift) + zero_point)
//
// Sixty-four bits hold the product of two int32 and half a step.
`timescale 1ns / 1ns

module requantize (
    input  wire signed [31:0] sum,
    input  wire signed [31:0] multiplier,
    input  wire signed [63:0] addend,
    input  wire        [5:0]  shift,
    input  wire signed [8:0]  zero_point,
    input  wire signed [8:0]  low,
    input  wire signed [8:0]  high,
    output wire signed [8:0]  code
);
    wire signed [63:0] product = sum * multiplier;
    wire signed [63:0] scaled = product + addend;
    wire signed [63:0] steps = (scaled >>> shift) + zero_point;

    assign code = steps < low ? low : steps > high ? high : steps[8:0];
endmodule
