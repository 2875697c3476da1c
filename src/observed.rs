//! A datum that was observed, or why not.

/// A datum that a driver, the kernel, a library or a worker tells, or why it does not, as a lowercase fragment.
pub type Observed<T> = Result<T, String>;
