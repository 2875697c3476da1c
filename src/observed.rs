//! A datum that was observed, or why not.

use crate::text::Plain;

/// A datum that a driver, the kernel, a library, a worker or an analysis tells, or why it does not,
/// as a lowercase fragment, which may hold what one of them said.
///
/// It is a `Result`, so that `?` and its methods serve; errors that end something are types of
/// their own. Three answers say more than it can, or are written in another form, which readers of
/// records and findings know:
///
/// - [`Estimate`](crate::analysis::Estimate) keeps beside the reason what is known nevertheless, and names its state;
/// - [`Outcome`](crate::record::Outcome) tells what failed, with a hint, from what was not tried;
/// - [`Host`](crate::record::Host), and findings of accuracy, steps and denormal numbers, hold a list or several figures
///   beside one `*_absent_reason`, which is absent with them in older records.
pub type Observed<T> = Result<T, Plain>;
