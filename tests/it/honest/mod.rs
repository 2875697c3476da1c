//! What holds for every sentence that is printed: its numbers come from somewhere, and its commands
//! are understood.

mod numbers;
