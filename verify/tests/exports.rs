//! What is exported says what the model says, and reads back.

mod c;
mod files;
mod gap_log;
mod nntool;
mod subject;
