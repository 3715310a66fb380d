//! What is said of a difference is true, parts hypotheses, and can be worked by hand.

mod evidence;
mod separation;
mod traced;
mod worked;
