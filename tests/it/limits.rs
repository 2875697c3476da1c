//! Nothing is taken in without a limit: files that are none, sizes that no memory is for, numbers that fit nothing.

mod files;
mod memory;
mod numbers;
