//! What is exported says what the model says, and reads back.

mod files;
mod subject;
