//! C99: what it computes is what the model computes, for networks, contracts and operators; what
//! it cannot say is an error in words.

pub(crate) mod compiler;
mod contracts;
mod networks;
mod operators;
mod refusals;
