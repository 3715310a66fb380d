//! What is said of a difference is true, parts hypotheses, and can be worked by hand.

#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod separation;
mod traced;
mod worked;
