//! Nothing is taken in without a limit, and nothing waited for: files that are none, sizes that no
//! memory is for, numbers that fit nothing.

mod files;
mod memory;
mod numbers;
mod writing;
