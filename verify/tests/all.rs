//! The tests of the crate in one program: they share what they read, and it is linked once.

mod broken_models_are_caught;
mod case_folders;
mod common;
mod differences_are_described;
mod exports;
#[cfg(unix)]
mod hostile_backends;
mod int8_loses_little;
mod int8_matches_pytorch;
mod mistake_pages_are_current;
mod mistakes_are_named;
mod model_files;
mod model_is_golden;
mod nntool;
mod operators_match_pytorch;
mod own_schemes;
mod reference_matches_pytorch;
mod report_snapshots;
mod study_snapshots;
mod verdicts;
