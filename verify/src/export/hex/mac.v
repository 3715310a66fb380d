// A multiply-accumulate unit: one product a clock.
//
//     sum <= (first ? bias : sum) + (code - code_zero_point) * (weight - weight_zero_point)
//
// Nine bits hold int8 and uint8 codes.
`timescale 1ns / 1ns

module mac (
    input  wire               clock,
    input  wire               enable,
    input  wire               first,
    input  wire signed [8:0]  code,
    input  wire signed [8:0]  code_zero_point,
    input  wire signed [8:0]  weight,
    input  wire signed [8:0]  weight_zero_point,
    input  wire signed [31:0] bias,
    output reg  signed [31:0] sum
);
    wire signed [9:0]  a = code - code_zero_point;
    wire signed [9:0]  b = weight - weight_zero_point;
    wire signed [19:0] product = a * b;

    always @(posedge clock)
        if (enable) sum <= (first ? bias : sum) + product;
endmodule
