//! Exit codes: each tells what kind of end a command came to.

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
pub const GATE_FAILED: u8 = 5;
/// Gate: no rule failed, but the figures do not decide all of them. Tune: undecided. No
/// configuration is shown to keep the SLO and not all are shown to break it; or the best one is not
/// shown to be better than the defaults, and what there was to try was not tried, or is not shown
/// not to be.
pub const GATE_INCONCLUSIVE: u8 = 6;

/// Tune: every configuration that was tried breaks the SLO, or an accuracy that fell too far.
pub const SLO_NOT_MET: u8 = 7;

/// The exit codes, for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  a fault of onnxprof itself
  2  usage; also a name that the model does not have
  3  bad input: a model, data file, library, run folder or rule file
  4  some cells or launches failed, or the run was interrupted
  5  gate: a rule failed
  6  gate: the figures do not decide; tune: nothing is shown to keep the SLO,
     or to be better than the defaults or not to be, or there was more to try
  7  tune: all that were tried break the SLO";

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
