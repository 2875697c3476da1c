//! Exit codes: each tells what kind of end a command came to. Where several apply, the first of
//! [`BAD_INPUT`], [`PARTIAL`], [`FAILED`], [`NONE_MAY_SHIP`] and [`UNDECIDED`] does.

use crate::analysis::Decision;

/// The command did what it was asked to.
pub const DONE: u8 = 0;
/// A fault of onnxprof itself.
pub const BUG: u8 = 1;
/// The command line is wrong, or names what the model does not have.
pub const USAGE: u8 = 2;
/// A file or library that was named cannot be used.
pub const BAD_INPUT: u8 = 3;
/// The run ended, but some of its cells or launches failed; or it was interrupted.
pub const PARTIAL: u8 = 4;

/// Gate: a rule failed.
pub const FAILED: u8 = 5;
/// The figures do not decide: a rule of the gate, or what to ship, by `tune` and by `profile
/// --decide`.
pub const UNDECIDED: u8 = 6;
/// `tune` and `profile --decide`: none may be shipped. `load`: single requests without load break the
/// SLO already.
pub const NONE_MAY_SHIP: u8 = 7;

/// The exit code that a decision amounts to.
pub fn of(decision: Decision) -> u8 {
    match decision {
        Decision::Ship | Decision::Keep => DONE,
        Decision::Undecided | Decision::NoAnswer => UNDECIDED,
        Decision::DoNotShip => NONE_MAY_SHIP,
    }
}

/// The exit codes, for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  done; tune and profile --decide: ship, or keep the baseline
  1  a fault of onnxprof itself
  2  usage, also a name that the model does not have
  3  bad input: a model, data file, library, run folder or rule file
  4  some cells or launches failed, or the run was interrupted
  5  gate: a rule failed
  6  the figures do not decide: gate, tune, profile --decide
  7  tune, profile --decide: none may be shipped; load: the SLO cannot be kept
If several apply: 3, then 4, 5, 7, 6.";

#[cfg(test)]
mod tests {
    use super::HELP;

    #[test]
    fn no_line_of_the_help_is_wider_than_any_terminal() {
        assert!(HELP.lines().all(|line| line.len() < 80));
        for code in 0..=7 {
            let begin = format!("  {code}  ");
            assert_eq!(
                HELP.lines().filter(|line| line.starts_with(&begin)).count(),
                1
            );
        }
    }
}
